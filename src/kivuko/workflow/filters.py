"""Message filters: ``body @> inclusion AND NOT body @> exclusion``, exactly as PostgreSQL's jsonb decides it (requirements §3.1).

One matcher for both databases, in the process, so that no database is asked whether a message matches. Numbers are compared by value, not
by their spelling or their nearest double: read what is to be matched with ``read_json``, which keeps every digit.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NoReturn

from kivuko.errors import InputError, InvalidJson

__all__ = ["DEEPEST_PATTERN", "MessageFilter", "contains", "read_filter", "read_json"]

DEEPEST_PATTERN = 100
"""Patterns nested more deeply than this are refused when they are saved, so matching never runs out of stack."""

_BYTE_ORDER_MARK = "\ufeff"
_NO_NUMBERS = (bool, type(None))
_NUMBERS = (int, float, Decimal)


@dataclass(frozen=True)
class MessageFilter:
    """Which messages start a job. Each side is a tuple of one pattern, or empty for "blank": the pattern itself may be ``None`` (null)."""

    inclusion: tuple[object, ...] = ()
    exclusion: tuple[object, ...] = ()

    def matches(self, body: object) -> bool:
        """Whether a message with this (parsed) body matches. A blank inclusion takes every message, a blank exclusion leaves none out."""
        for pattern in self.inclusion:
            if not contains(body, pattern):
                return False
        return not any(contains(body, pattern) for pattern in self.exclusion)


def read_filter(inclusion: object = None, exclusion: object = None) -> MessageFilter:
    """A filter from what a person wrote: JSON text, or a mapping or list as YAML gives it; None and "" are blank.

    Raises InvalidJson for text that is no JSON, InputError for a pattern that is nested too deeply.
    """
    return MessageFilter(_read_pattern("inclusion", inclusion), _read_pattern("exclusion", exclusion))


def read_json(text: str | bytes) -> object:
    """A JSON value with numbers as ``int`` or ``Decimal``, no digit lost. Raises InvalidJson, also for NaN, Infinity and bad UTF-8."""
    try:
        if isinstance(text, str) and not text.startswith(_BYTE_ORDER_MARK):
            value: object = _DECODER.decode(text)
        else:
            value = json.loads(text, parse_float=Decimal, parse_constant=_no_number)
    except ArithmeticError as error:
        raise InvalidJson("this is not JSON that can be compared: a number's exponent has too many digits") from error
    except (ValueError, RecursionError) as error:
        raise InvalidJson(f"this is not JSON: {error}") from error
    return value


def contains(value: object, pattern: object) -> bool:
    """``value @> pattern`` of PostgreSQL 15 for parsed JSON values (PostgreSQL documentation, 8.14.3)."""
    if isinstance(value, list) and not isinstance(pattern, dict | list):
        # The one special case, at the top level only: an array contains a bare scalar.
        return any(_same_scalar(element, pattern) for element in value)
    return _contains(value, pattern)


def _contains(value: object, pattern: object) -> bool:
    if isinstance(pattern, dict):
        return isinstance(value, dict) and _object_contains(value, pattern)
    if isinstance(pattern, list):
        return isinstance(value, list) and _array_contains(value, pattern)
    return _same_scalar(value, pattern)


def _object_contains(value: Mapping[str, object], pattern: Mapping[str, object]) -> bool:
    for key, wanted in pattern.items():  # noqa: SIM110  # a loop is twice as fast: every trigger asks this of every message
        if key not in value or not _contains(value[key], wanted):
            return False
    return True


def _array_contains(value: Sequence[object], pattern: Sequence[object]) -> bool:
    return all(any(_contains(element, wanted) for element in value) for wanted in pattern)


def _same_scalar(value: object, pattern: object) -> bool:
    if isinstance(pattern, _NO_NUMBERS) or isinstance(value, _NO_NUMBERS):
        # True == 1 in Python, never in JSON.
        return value is pattern
    if isinstance(pattern, str) or isinstance(value, str):
        return value == pattern and type(value) is type(pattern)
    if isinstance(value, _NUMBERS) and isinstance(pattern, _NUMBERS):
        return _exact(value) == _exact(pattern)
    return False


def _exact(number: int | float | Decimal) -> int | Decimal:
    # A float means the shortest decimal that reads as it, which is what its JSON text said.
    return Decimal(repr(number)) if isinstance(number, float) else number


def _read_pattern(side: str, written: object) -> tuple[object, ...]:
    if written is None or (isinstance(written, str) and not written.strip()):
        return ()
    pattern = written
    if isinstance(written, str | bytes):
        try:
            pattern = read_json(written)
        except InvalidJson as error:
            raise InvalidJson(f"the {side} of the message filter: {error.message}") from error
    if _deeper_than(pattern, DEEPEST_PATTERN):
        raise InputError(f"the {side} of the message filter is nested more than {DEEPEST_PATTERN} levels deep", fix="Match fewer levels.")
    return (pattern,)


def _deeper_than(pattern: object, levels: int) -> bool:
    layer = [pattern]
    for _ in range(levels):
        layer = [child for value in layer for child in _children(value)]
        if not layer:
            return False
    return True


def _children(value: object) -> Sequence[object]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else ()


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


# json.loads makes a decoder for each text when it is told how to read numbers; that takes longer than to read 2 kB.
_DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=_no_number)
