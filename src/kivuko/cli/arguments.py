"""Words of a command line to typed values, by the rules of the parser that OpenFn's CLI uses (yargs): groups of letters, ``--no-…``,
``--flag=value``, camelCase for kebab-case, and lists that take every word up to the next flag.

A flag that nobody declared is refused with names that are near (house style: a setting that does nothing is refused).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from kivuko.errors import UsageError
from kivuko.value import fresh, value

__all__ = ["Arguments", "Kind", "Option", "near_names", "parse"]

Kind = Literal["flag", "text", "number", "list", "optional"]
Value = bool | float | str | list[str]

_NUMBER = re.compile(r"-?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", re.I)
_FILE = re.compile(r"\.(js|json|yaml|yml)$")


@value
class Option:
    """One flag: its long name, other names (a single letter is a short flag) and what kind of value it takes.

    ``list`` takes every word up to the next flag and may be repeated; ``optional`` is a flag that may have a value after ``=`` or in the
    next word, unless that word is a file.
    """

    name: str
    help: str
    aliases: tuple[str, ...] = ()
    kind: Kind = "flag"
    hidden: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """All names, without dashes."""
        return (self.name, *self.aliases)


@value
class Arguments:
    """What was given: words that are no flags, and values by the long names of the options."""

    words: tuple[str, ...]
    values: Mapping[str, Value]

    def flag(self, name: str, default: bool = False) -> bool:
        """The value of a flag; ``default`` when neither it nor its ``--no-`` form was given."""
        value = self.values.get(name, default)
        return value if isinstance(value, bool) else bool(value)

    def text(self, name: str) -> str | None:
        """The value of a text option, None when it was not given."""
        value = self.values.get(name)
        return value if isinstance(value, str) else None

    def number(self, name: str) -> float | None:
        """The value of a number option, None when it was not given."""
        value = self.values.get(name)
        return value if isinstance(value, float) else None

    def list(self, name: str) -> list[str]:
        """The values of a list option, empty when it was not given."""
        value = self.values.get(name)
        return list(value) if isinstance(value, list) else []

    def has(self, name: str) -> bool:
        """Whether the option was given in any form."""
        return name in self.values


@value
class _Reading:
    table: dict[str, Option]
    queue: list[str]
    words: list[str] = fresh(factory=list)
    values: dict[str, Value] = fresh(factory=dict)


def parse(words: Sequence[str], options: Iterable[Option]) -> Arguments:
    """Read ``words`` by the declared ``options``.

    Raises UsageError for an unknown flag, a missing value, and a value that is no number where one is needed.
    """
    table = {name: option for option in options for name in option.names}
    reading = _Reading(table, list(words))
    while reading.queue:
        word = reading.queue.pop(0)
        if word == "--":
            reading.words.extend(reading.queue)
            break
        if word.startswith("--"):
            _long(reading, word[2:])
        elif _is_flag(word):
            _letters(reading, word[1:])
        else:
            reading.words.append(word)
    return Arguments(tuple(reading.words), reading.values)


def near_names(wanted: str, known: Iterable[str], count: int = 3) -> list[str]:
    """Names of ``known`` that ``wanted`` may have meant, the nearest first: a third of its letters may be wrong."""
    most = max(1, len(wanted) // 3)
    found = [(_distance(wanted.lower(), name.lower()), name) for name in dict.fromkeys(known) if abs(len(name) - len(wanted)) <= most]
    return [name for distance, name in sorted(found) if distance <= most][:count]


def _distance(one: str, other: str) -> int:
    """How many letters must be changed, added, left out or swapped with their neighbour (optimal string alignment)."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, start=1):
        line = [row]
        for column, its in enumerate(other, start=1):
            best = min(last[column] + 1, line[-1] + 1, last[column - 1] + (letter != its))
            if row > 1 and column > 1 and letter == other[column - 2] and its == one[row - 2]:
                best = min(best, before[column - 2] + 1)
            line.append(best)
        before, last = last, line
    return last[-1]


def _is_flag(word: str) -> bool:
    return len(word) > 1 and word[0] == "-" and not _NUMBER.fullmatch(word)


def _kebab(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda found: "-" + found[1].lower(), name)


def _long(reading: _Reading, text: str) -> None:
    name, sign, value = text.partition("=")
    option = reading.table.get(name) or reading.table.get(_kebab(name))
    if option is not None:
        return _take(reading, option, "--" + name, value if sign else None)
    if name.startswith("no-"):
        negated = reading.table.get(name[3:]) or reading.table.get(_kebab(name[3:]))
        if negated is not None and negated.kind in ("flag", "optional"):
            reading.values[negated.name] = False
            return None
    raise _unknown(reading, "--" + name)


def _letters(reading: _Reading, text: str) -> None:
    """Read a word of short flags: ``-ma x`` is ``-m -a x``, ``-t500`` and ``-t=500`` are ``-t 500``."""
    for at, letter in enumerate(text):
        option = reading.table.get(letter)
        if option is None:
            raise _unknown(reading, "-" + (letter if at else text))
        rest = text[at + 1 :]
        if rest and (rest[0] == "=" or not rest[0].isalpha()) and option.kind != "flag":
            return _take(reading, option, "-" + letter, rest.removeprefix("="))
        if rest and option.kind not in ("flag", "optional"):
            raise UsageError(
                f"Not enough arguments following: {letter}\n-{text} is read as -{' -'.join(text)}, and -{letter} needs a value."
            )
        _take(reading, option, "-" + letter, None)
    return None


def _take(reading: _Reading, option: Option, given: str, value: str | None) -> None:
    if option.kind == "flag":
        reading.values[option.name] = _boolean(reading, given, value)
    elif option.kind == "optional":
        reading.values[option.name] = _optional(reading, value)
    elif option.kind == "list":
        _extend(reading, option, given, value)
    else:
        text = value if value is not None else _next(reading, given)
        reading.values[option.name] = _number(text, given) if option.kind == "number" else text


def _boolean(reading: _Reading, given: str, value: str | None) -> bool:
    if value is None and reading.queue and reading.queue[0] in ("true", "false"):
        value = reading.queue.pop(0)
    if value not in (None, "true", "false"):
        raise UsageError(f"Invalid value for {given}: {value}\nIt is a switch: {given}, {given}=true or {given}=false.")
    return value != "false"


def _optional(reading: _Reading, value: str | None) -> Value:
    if value is None and reading.queue and not _is_flag(reading.queue[0]) and not _FILE.search(reading.queue[0]):
        value = reading.queue.pop(0)
    return {None: True, "true": True, "false": False}.get(value, value or "")


def _extend(reading: _Reading, option: Option, given: str, value: str | None) -> None:
    found = [value] if value is not None else [_next(reading, given)]
    while value is None and reading.queue and not _is_flag(reading.queue[0]):
        found.append(reading.queue.pop(0))
    held = reading.values.get(option.name)
    reading.values[option.name] = (held if isinstance(held, list) else []) + found


def _next(reading: _Reading, given: str) -> str:
    if not reading.queue or _is_flag(reading.queue[0]):
        raise UsageError(f"Not enough arguments following: {given.lstrip('-')}")
    return reading.queue.pop(0)


def _number(text: str, given: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise UsageError(f"Invalid value for {given}: {text}\nIt must be a number.")
    return float(text)


def _unknown(reading: _Reading, given: str) -> UsageError:
    names = [("--" if len(name) > 1 else "-") + name for name, option in reading.table.items() if not option.hidden]
    near = near_names(given, names)
    hint = f"\nDid you mean {' or '.join(near)}?" if near else ""
    return UsageError(f"Unknown argument: {given.lstrip('-')}{hint}")
