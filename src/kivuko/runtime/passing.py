"""What passes through a step that runs nothing: a trigger's input, and at the end of an Attempt the same without credentials."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator

__all__ = ["without_keys"]

_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\],:]', re.DOTALL)
"""Strings and signs. What lies between them, numbers and words, needs no looking at."""


def without_keys(state: bytes | None, keys: Collection[str]) -> bytes | None:
    """A state, as JSON, without these keys of its top level, however they are written; else byte for byte what it was.

    Values are not parsed: a state may be large and nested as deeply as it likes. What is no object stays as it is.
    """
    if state is None or not state.lstrip().startswith(b"{") or not _may_hold(state, keys):
        return state
    kept = [state[start:end] for name, start, end in _members(state) if name not in keys]
    return b"{" + b",".join(kept) + b"}"


def _may_hold(state: bytes, keys: Collection[str]) -> bool:
    return b"\\u" in state or any(json.dumps(key, ensure_ascii=False).encode() in state for key in keys)


def _members(state: bytes) -> Iterator[tuple[str, int, int]]:
    """Name, start and end of each member of an object, without the commas."""
    depth, name, start = 0, None, 0
    for token in _TOKEN.finditer(state):
        sign = token[0][:1]
        if sign == b'"':
            if depth == 1 and name is None:
                name, start = str(json.loads(token[0])), token.start()
        elif depth == 1 and sign in b",}":
            if name is not None:
                yield name, start, token.start()
            name = None
            depth -= sign == b"}"
        elif sign in b"{[":
            depth += 1
        elif sign in b"}]":
            depth -= 1
