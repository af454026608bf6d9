"""Finds where exactly a text stands: the index names candidates, and each is read before it is answered (R-050)."""

from __future__ import annotations

from collections.abc import Iterator

from kivuko.errors import BodyWiped
from kivuko.records.database import Connection
from kivuko.records.ids import Id
from kivuko.records.opening import Records
from kivuko.records.rows import Message, MessageVersion
from kivuko.records.search.entries import EntryKind, Place
from kivuko.records.search.index import SearchIndex
from kivuko.records.search.words import Needle, needle_of, readable

__all__ = ["Finder"]

_PAGE = 100
LOOKED_AT = 5000
"""So many candidates are read for one question at most: texts that hold all its words, but not in this order."""


class Finder:
    """Looks texts up. Letter case is ignored; words are found from their beginning; a text without letters and digits finds nothing."""

    def __init__(self, records: Records, index: SearchIndex) -> None:
        self._records = records
        self._index = index

    def messages(self, project_id: Id, text: str, before: Id | None = None, *, headers: bool = False) -> Iterator[Id]:
        """Messages older than ``before`` that hold this text in a body (or in their headers), newest first. Raises RecordsUnavailable."""
        kinds = (EntryKind.BODY, EntryKind.HEADERS) if headers else (EntryKind.BODY,)
        streams = [self._places(kind, project_id, text, before) for kind in kinds]
        return _once(_newest_first([(place.subject_id for place in places) for places in streams]))

    def runs(self, project_id: Id, text: str, before: Id | None = None) -> Iterator[Id]:
        """Runs older than ``before`` with a line of log that holds this text, newest first. Raises RecordsUnavailable."""
        found = self._places(EntryKind.LOG, project_id, text, before)
        return _once(place.subject_id for place in found if place.subject_id != place.owner_id)

    def attempts(self, project_id: Id, text: str, before: Id | None = None) -> Iterator[Id]:
        """Attempts with a line of log that holds this text, about newest first; ``before`` bounds their Runs. Raises RecordsUnavailable."""
        seen: set[Id] = set()
        for place in self._places(EntryKind.LOG, project_id, text, before):
            if place.owner_id not in seen:
                seen.add(place.owner_id)
                yield place.owner_id

    def _places(self, kind: EntryKind, project_id: Id, text: str, before: Id | None) -> Iterator[Place]:
        needle = needle_of(text)
        if needle is None:
            return
        at = Place(before, before, 0, 0) if before else None
        for _ in range(0, LOOKED_AT, _PAGE):
            found = self._index.find(kind, project_id, needle, at, _PAGE)
            for place in found:
                if self._holds(kind, place, needle):
                    yield place
            if len(found) < _PAGE:
                return
            at = found[-1]

    def _holds(self, kind: EntryKind, place: Place, needle: Needle) -> bool:
        with self._records.reading() as connection:
            if kind is EntryKind.LOG:
                return _log_holds(connection, place, needle)
            if kind is EntryKind.HEADERS:
                (message,) = connection.load(Message, "message_read", id=place.subject_id) or (None,)
                return message is not None and needle.is_in(readable(message.request or b""))
            return self._body_holds(connection, place, needle)

    def _body_holds(self, connection: Connection, place: Place, needle: Needle) -> bool:
        for version in connection.load(MessageVersion, "version_stored", message_id=place.subject_id, version=place.first):
            try:
                return needle.is_in(readable(self._records.payloads.read(version)))
            except BodyWiped:
                return False
        return False


def _log_holds(connection: Connection, place: Place, needle: Needle) -> bool:
    run_id = place.subject_id if place.subject_id != place.owner_id else None
    lines = connection.fetch("lines_between", id=place.owner_id, first=place.first, last=place.last)
    return any((Id(run) if run else None) == run_id and needle.is_in(message) for run, message in lines)


def _newest_first(streams: list[Iterator[Id]]) -> Iterator[Id]:
    heads = {at: head for at, stream in enumerate(streams) if (head := next(stream, None))}
    while heads:
        at = max(heads, key=lambda each: heads[each])
        yield heads[at]
        following = next(streams[at], None)
        if following:
            heads[at] = following
        else:
            del heads[at]


def _once(found: Iterator[Id]) -> Iterator[Id]:
    last: Id | None = None
    for each in found:
        if each != last:
            yield each
        last = each
