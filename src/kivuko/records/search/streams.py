"""What the index follows: messages as they come, edits, and the logs of Attempts that ended.

A stream has *marks*: bytes that sort as its items do. What was written with an older mark than something seen already (another node's
clock, a transaction that took long) is found when the stream is read a second time, a minute later.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from kivuko.errors import BodyWiped
from kivuko.records.database import Connection
from kivuko.records.ids import Id
from kivuko.records.payloads import Payloads
from kivuko.records.reading import log_after
from kivuko.records.retention import oldest_kept
from kivuko.records.rows import MessageVersion
from kivuko.records.search.entries import Entry, EntryKind, Place
from kivuko.records.search.words import readable, words_of

__all__ = ["Edits", "Item", "Logs", "Messages", "Stream"]

_FIRST = Id(bytes(16))
_LINES_A_PAGE = 2000
_CHARACTERS_A_CHUNK = 256_000


@dataclass(frozen=True)
class Item:
    """Something to be indexed: a message, a version of one, an Attempt."""

    mark: bytes
    project_id: Id
    owner_id: Id
    version: int = 1
    request: bytes | None = None


class Stream(Protocol):
    """Items in the order of their marks."""

    name: str
    kind: EntryKind

    def mark_at(self, at_us: int) -> bytes:
        """The smallest mark that something of this time (µs) can have."""

    def time_of(self, mark: bytes) -> int:
        """The time of a mark, in µs; 0 for the empty one."""

    def read(self, connection: Connection, after: bytes, until: bytes, at_most: int) -> list[Item]:
        """The next items."""

    def entries(self, connection: Connection, payloads: Payloads, items: Sequence[Item]) -> Iterator[Entry]:
        """What items give to be found."""


class Messages:
    """The first versions of messages, with their headers."""

    name = "messages"
    kind = EntryKind.BODY

    def mark_at(self, at_us: int) -> bytes:
        """An id."""
        return oldest_kept(at_us)

    def time_of(self, mark: bytes) -> int:
        """The time in the id."""
        return Id(mark).made_at_us if mark else 0

    def read(self, connection: Connection, after: bytes, until: bytes, at_most: int) -> list[Item]:
        """The next messages by id."""
        found = connection.fetch("messages_followed", after=Id(after) if after else _FIRST, until=Id(until), at_most=at_most)
        return [Item(bytes(message), Id(project), Id(message), request=request) for message, project, request in found]

    def entries(self, connection: Connection, payloads: Payloads, items: Sequence[Item]) -> Iterator[Entry]:
        """Bodies and headers."""
        for item in items:
            if item.request:
                place = Place(item.owner_id, item.owner_id, 1, 1)
                yield Entry(EntryKind.HEADERS, item.project_id, place, words_of(readable(bytes(item.request))))
        yield from _bodies(connection.load(MessageVersion, "versions_first", ids=[item.owner_id for item in items]), payloads)


class Edits:
    """Later versions of messages."""

    name = "edits"
    kind = EntryKind.BODY

    def mark_at(self, at_us: int) -> bytes:
        """Time and id."""
        return _timed(at_us)

    def time_of(self, mark: bytes) -> int:
        """The time it begins with."""
        return int.from_bytes(mark[:8], "big")

    def read(self, connection: Connection, after: bytes, until: bytes, at_most: int) -> list[Item]:
        """The next versions by the time they were stored."""
        at_us, message_id = _parts(after)
        asked = {"after_us": at_us, "after_id": message_id, "until_us": self.time_of(until), "at_most": at_most}
        found = connection.fetch("edits_followed", **asked)
        return [Item(_timed(at, Id(message)), Id(project), Id(message), version) for at, message, version, project in found]

    def entries(self, connection: Connection, payloads: Payloads, items: Sequence[Item]) -> Iterator[Entry]:
        """The versions' bodies."""
        for item in items:
            found = connection.load(MessageVersion, "version_stored", message_id=item.owner_id, version=item.version)
            yield from _bodies(found, payloads)


class Logs:
    """The logs of Attempts, when they have ended."""

    name = "logs"
    kind = EntryKind.LOG

    def mark_at(self, at_us: int) -> bytes:
        """Time and id."""
        return _timed(at_us)

    def time_of(self, mark: bytes) -> int:
        """The time it begins with."""
        return int.from_bytes(mark[:8], "big")

    def read(self, connection: Connection, after: bytes, until: bytes, at_most: int) -> list[Item]:
        """The next Attempts by their end."""
        at_us, attempt_id = _parts(after)
        asked = {"after_us": at_us, "after_id": attempt_id, "until_us": self.time_of(until), "at_most": at_most}
        found = connection.fetch("attempts_followed", **asked)
        return [Item(_timed(at, Id(attempt)), Id(project), Id(attempt)) for at, attempt, project in found]

    def entries(self, connection: Connection, payloads: Payloads, items: Sequence[Item]) -> Iterator[Entry]:
        """The lines of each Run, in chunks: an Attempt may have a hundred thousand."""
        for item in items:
            yield from self._lines(connection, item)

    def _lines(self, connection: Connection, item: Item) -> Iterator[Entry]:
        chunks: dict[Id, _Chunk] = {}
        seq = 0
        while lines := log_after(connection, item.owner_id, seq, _LINES_A_PAGE):
            for line in lines:
                subject = line.run_id or item.owner_id
                chunk = chunks.setdefault(subject, _Chunk(line.seq))
                chunk.add(line.seq, line.message)
                if chunk.characters >= _CHARACTERS_A_CHUNK:
                    yield chunks.pop(subject).entry(item, subject)
            seq = lines[-1].seq
        for subject, chunk in chunks.items():
            yield chunk.entry(item, subject)


class _Chunk:
    """Lines of a Run on their way to an entry."""

    def __init__(self, first: int) -> None:
        self.first = self.last = first
        self.characters = 0
        self._words: set[str] = set()

    def add(self, seq: int, message: str) -> None:
        self.last = seq
        self.characters += len(message)
        self._words |= words_of(message)

    def entry(self, item: Item, subject: Id) -> Entry:
        return Entry(EntryKind.LOG, item.project_id, Place(subject, item.owner_id, self.first, self.last), self._words)


def _bodies(versions: Iterable[MessageVersion], payloads: Payloads) -> Iterator[Entry]:
    for version in versions:
        try:
            body = payloads.read(version)
        except BodyWiped:
            continue
        place = Place(version.message_id, version.message_id, version.version, version.version)
        yield Entry(EntryKind.BODY, version.project_id, place, words_of(readable(body)))


def _timed(at_us: int, item_id: Id = _FIRST) -> bytes:
    return at_us.to_bytes(8, "big") + item_id


def _parts(mark: bytes) -> tuple[int, Id]:
    return (int.from_bytes(mark[:8], "big"), Id(mark[8:])) if mark else (0, _FIRST)
