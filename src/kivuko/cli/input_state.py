"""The state that a run starts with, from ``-S``, ``-s`` or nothing (cli.md §3.1). Nothing runs on an input that was not meant."""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable
from pathlib import Path

from kivuko.errors import FileMissing, InputError, InvalidJson

__all__ = ["parse_state", "read_state_file", "read_state_text"]

_PIECE_BYTES = 1 << 20


def read_state_text(text: str, standard_input: Callable[[], bytes]) -> bytes:
    """The JSON of ``-S``; ``-`` reads ``standard_input``. Raises InvalidJson or InputError."""
    return parse_state(standard_input() if text == "-" else text.encode(), "Failed to load state from stdin", "the value of -S")


def read_state_file(path: str, folder: Path) -> bytes:
    """The JSON of the file ``path``, relative to ``folder``. Raises FileMissing, InvalidJson or InputError."""
    reason = f"Error loading state from {path}"
    try:
        content = (folder / Path(path).expanduser()).read_bytes()
    except OSError as problem:
        raise FileMissing(reason, details=problem.strerror or str(problem), fix="Check the path of -s; nothing was run.") from problem
    return parse_state(content, reason, path)


def parse_state(content: bytes, reason: str, where: str) -> bytes:
    """``content`` when it is JSON of an object, without a byte order mark.

    ``reason`` begins the message, ``where`` names the source in it. The values are checked but not built: state may be large.
    """
    content = content.removeprefix(codecs.BOM_UTF8)
    try:
        _check(content)
    except RecursionError as problem:
        message = f"{where}: it is nested too deeply to be read."
        raise InvalidJson(reason, details=message, fix="Give a flatter state; nothing was run.") from problem
    except ValueError as problem:
        raise InvalidJson(reason, details=f"{where}: {problem}", fix="Correct the JSON at that place; nothing was run.") from problem
    if not content.lstrip().startswith(b"{"):
        raise InputError(
            reason, details=f"{where} is JSON, but no object.", fix='State is an object such as {"data": {}}; nothing was run.'
        )
    return content


def _check(content: bytes) -> None:
    """Raise ValueError or RecursionError unless ``content`` is JSON in UTF-8.

    A text of Python takes four bytes a character as soon as one of them needs it. Read as Latin-1 it takes one: the bytes of a longer
    character are all above ASCII, so they may stand in strings, where they are skipped, and nowhere else.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(content), _PIECE_BYTES):
        decoder.decode(content[start : start + _PIECE_BYTES])
    decoder.decode(b"", final=True)
    try:
        json.loads(content.decode("latin-1"), object_pairs_hook=_nothing, parse_constant=_refuse)
    except ValueError:
        json.loads(content.decode("utf-8"), object_pairs_hook=_nothing, parse_constant=_refuse)  # counts columns in characters
        raise


def _nothing(_pairs: list[tuple[str, object]]) -> None:
    return None


def _refuse(word: str) -> object:
    raise ValueError(f"{word} is no JSON")
