"""Ranges of versions, as npm reads them (node-semver: "Advanced Range Syntax", "Prerelease Tags")."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping

from kivuko.adaptors.semver import Precedence, precedence

__all__ = ["Range", "in_range", "matches", "read_range"]

Bound = tuple[str, Precedence]
"""``<``, ``<=``, ``>`` or ``>=``, and a version."""

Range = tuple[tuple[Bound, ...], ...]
"""Alternatives, each of bounds that all hold; no bounds: every release."""

_TAG = re.compile(r"[A-Za-z][\w.-]*")
_X = r"(\d+|[xX*])"
_PARTIAL = rf"[v=\s]*{_X}(?:\.{_X}(?:\.{_X}(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?)?)?"
_COMPARATOR = re.compile(rf"(<=|>=|<|>|~>?|\^|=)?{_PARTIAL}(?=\s|$)")
_HYPHEN = re.compile(rf"{_PARTIAL}\s+-\s+{_PARTIAL}")
_COMPARE: Mapping[str, Callable[[Precedence, Precedence], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

_Parts = tuple[str | None, ...]


def matches(version: str, wanted: str | None) -> bool:
    """Whether an installed version can stand for what was asked: nothing or a tag takes any, a range what it holds, other texts none."""
    known = read_range(wanted) if wanted is not None else None
    if known is not None:
        return in_range(version, known)
    return wanted is None or _TAG.fullmatch(wanted) is not None


def read_range(text: str) -> Range | None:
    """The range that a text stands for; None when it is none (a tag, for example)."""
    alternatives = [_alternative(part.strip()) for part in text.split("||")]
    return tuple(bounds for bounds in alternatives if bounds is not None) if None not in alternatives else None


def in_range(version: str, wanted: Range) -> bool:
    """Whether a full version lies in a range.

    A pre-release does only where a bound names a pre-release of the same major, minor and patch number. Raises ValueError.
    """
    own = precedence(version)
    return any(
        all(_COMPARE[sign](own, bound) for sign, bound in bounds)
        and (own[3] or any(bound[:3] == own[:3] and not bound[3] for _, bound in bounds))
        for bounds in wanted
    )


def _alternative(text: str) -> tuple[Bound, ...] | None:
    hyphen = _HYPHEN.fullmatch(text)
    if hyphen:
        return _from(hyphen.groups()[:4]) + _up_to(hyphen.groups()[4:])
    bounds: list[Bound] = []
    while text:
        match = _COMPARATOR.match(text)
        if match is None:
            return None
        bounds += _bounds(match[1] or "=", match.groups()[1:])
        text = text[match.end() :].lstrip()
    return tuple(bounds)


def _bounds(sign: str, parts: _Parts) -> tuple[Bound, ...]:
    known = _known(parts)
    if not known:
        return (_below(0, 0, 0),) if sign in "<>" else ()
    if sign == "^":
        kept = next((at for at, number in enumerate(known) if number), len(known) - 1)
        return _from(parts) + _family(known[: kept + 1])
    if sign in ("~", "~>"):
        return _from(parts) + _family(known[:2])
    if sign == "=":
        return _from(parts) + _up_to(parts)
    if sign == "<=":
        return _up_to(parts)
    if sign == "<":
        return (("<", _first(parts)),) if len(known) == 3 else (_below(*(*known, 0, 0)[:3]),)
    if sign == ">" and len(known) < 3:
        return ((">=", _release(_next(known))),)
    return ((sign, _first(parts)),)


def _known(parts: _Parts) -> tuple[int, ...]:
    """The numbers before the first one left open."""
    numbers: list[int] = []
    for part in parts[:3]:
        if part is None or not part.isdigit():
            break
        numbers.append(int(part))
    return tuple(numbers)


def _first(parts: _Parts) -> Precedence:
    known = _known(parts)
    numbers = ".".join(map(str, (*known, 0, 0, 0)[:3]))
    return precedence(f"{numbers}-{parts[3]}" if len(known) == 3 and parts[3] else numbers)


def _from(parts: _Parts) -> tuple[Bound, ...]:
    return ((">=", _first(parts)),) if _known(parts) else ()


def _up_to(parts: _Parts) -> tuple[Bound, ...]:
    known = _known(parts)
    return (("<=", _first(parts)),) if len(known) == 3 else _family(known) if known else ()


def _family(known: tuple[int, ...]) -> tuple[Bound, ...]:
    """Below the next version of that family: of 1 that is 2.0.0, of 1.2 it is 1.3.0; its pre-releases stay out."""
    return (_below(*_next(known)),)


def _next(known: tuple[int, ...]) -> tuple[int, int, int]:
    major, minor, patch = (*known[:-1], known[-1] + 1, 0, 0)[:3]
    return major, minor, patch


def _release(numbers: tuple[int, int, int]) -> Precedence:
    return precedence(".".join(map(str, numbers)))


def _below(major: int, minor: int, patch: int) -> Bound:
    return "<", precedence(f"{major}.{minor}.{patch}-0")
