"""Reading one JSON object that a person or program wrote: every mistake is collected, with its path."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from kivuko.errors import ValidationFailed
from kivuko.platform.ids import read_id
from kivuko.records import Id

__all__ = ["Fields", "Mistakes"]

T = TypeVar("T")


@dataclass
class Mistakes:
    """What is wrong, by path."""

    found: dict[str, list[str]] = field(default_factory=dict)

    def add(self, path: str, sentence: str) -> None:
        """Notes a mistake."""
        sentences = self.found.setdefault(path, [])
        if sentence not in sentences:
            sentences.append(sentence)

    def refuse(self, message: str = "") -> None:
        """Raises ValidationFailed when anything was noted."""
        if self.found:
            raise ValidationFailed(message, errors=self.found)


class Fields:
    """The fields of an object at a path. A field that is not there has its default; a wrong one is noted and counts as its default."""

    def __init__(self, written: object, path: str, mistakes: Mistakes) -> None:
        self.path = path
        self.mistakes = mistakes
        self._asked: set[str] = set()
        self._written: Mapping[str, object] = {}
        if isinstance(written, Mapping):
            self._written = written
        else:
            mistakes.add(path, "must be an object")
            # That says it all: what is missing in it is no news.
            self.mistakes = Mistakes()

    def __contains__(self, name: str) -> bool:
        return name in self._written

    def wrong(self, name: str, sentence: str) -> None:
        """Notes a mistake in a field."""
        self.mistakes.add(self.at(name), sentence)

    def at(self, name: str) -> str:
        """The path of a field."""
        return f"{self.path}.{name}" if self.path else name

    def raw(self, name: str) -> object:
        """What was written; None when nothing was."""
        self._asked.add(name)
        return self._written.get(name)

    def skip(self, *names: str) -> None:
        """Fields that may be there and say nothing: they are only in answers."""
        self._asked.update(names)

    def text(self, name: str, default: str | None = None, *, at_most: int = 255, required: bool = False) -> str | None:
        """A text; required ones must not be blank."""
        found = self.raw(name)
        if found is None or found == "":
            if required:
                self.wrong(name, "must not be empty")
            return default
        if not isinstance(found, str):
            self.wrong(name, "must be a text")
            return default
        if "\0" in found:
            self.wrong(name, "must not contain a NUL character")
        if len(found) > at_most:
            self.wrong(name, f"must not be longer than {at_most} characters")
        return found

    def one_of(self, name: str, choices: Collection[str], default: str) -> str:
        """One of a few words."""
        found = self.raw(name)
        if found is None:
            return default
        if isinstance(found, str) and found in choices:
            return found
        self.wrong(name, f"must be one of {', '.join(choices)}")
        return default

    def flag(self, name: str, default: bool) -> bool:
        """True or false."""
        found = self.raw(name)
        if found is None:
            return default
        if not isinstance(found, bool):
            self.wrong(name, "must be true or false")
            return default
        return found

    def number(self, name: str, low: int, high: int) -> int | None:
        """A whole number, or None when it was left out."""
        found = self.raw(name)
        if found is None:
            return None
        if isinstance(found, bool) or not isinstance(found, int) or not low <= found <= high:
            self.wrong(name, f"must be a whole number from {low} to {high}")
            return None
        return found

    def id(self, name: str, *, required: bool = False) -> Id | None:
        """An id."""
        found = self.raw(name)
        if found is None:
            if required:
                self.wrong(name, "must be an id")
            return None
        identity = read_id(found)
        if identity is None:
            self.wrong(name, f"{found!r} is no id")
        return identity

    def ids(self, name: str) -> tuple[Id, ...]:
        """A list of ids."""
        listed = [(each, read_id(each)) for each in self.many(name)]
        for each, identity in listed:
            if identity is None:
                self.wrong(name, f"{each!r} is no id")
        return tuple(dict.fromkeys(identity for _, identity in listed if identity is not None))

    def many(self, name: str) -> list[object]:
        """A list of anything."""
        found = self.raw(name)
        if found is None:
            return []
        if not isinstance(found, list | tuple):
            self.wrong(name, "must be a list")
            return []
        return list(found)

    def close(self) -> None:
        """Refuses what nobody asked for: an unknown key would be lost without a word."""
        for name in self._written:
            if name not in self._asked:
                self.wrong(name, "is not known here")
