"""Workers, and the tickets that streams are opened with."""

from __future__ import annotations

import struct
from typing import Any, Literal

from django.http import HttpRequest
from ninja import Query, Router
from ninja.responses import Status

from kivuko.platform.api.authentication import actor_of
from kivuko.platform.api.context import platform
from kivuko.platform.api.pages import ListQuery, Page, count_up_to, cursor_key, next_key
from kivuko.platform.api.wire import IdText, Moment, Wire
from kivuko.records import Id, Needs
from kivuko.records.listing_workers import WorkerPlace, count_workers, list_workers
from kivuko.records.rows import Worker

__all__ = ["router"]

router = Router(tags=["workers"])

_KINDS: dict[Literal["javascript", "python"], Needs] = {"javascript": Needs.JAVASCRIPT, "python": Needs.PYTHON}
_PLACE = struct.Struct(">qq16s")


class WorkerShape(Wire):
    """Who executes. ``busy`` of ``capacity`` slots are in use; a foreign one is OpenFn's own worker."""

    id: IdText
    name: str
    version: str
    kinds: list[Literal["javascript", "python"]]
    foreign: bool
    capacity: int
    busy: int
    last_seen_at: Moment


class Ticket(Wire):
    """Opens one stream: `?ticket=…`; good once, for a minute."""

    ticket: str
    expires_in_s: int


@router.get("/workers", response=Page[WorkerShape], summary="List workers")
def list_all_workers(request: HttpRequest, query: Query[ListQuery]) -> Any:
    """The last seen first. A worker that was not seen for 30 days is forgotten."""
    with platform().records.reading() as connection:
        place = WorkerPlace.first(connection) if query.cursor is None else _place(query.cursor)
        found = list_workers(connection, place, query.limit + 1)
        shown = found[: query.limit]
        cursor = _cursor(place.at(shown[-1])) if len(found) > query.limit else None
        counted = count_up_to(query.count, lambda at_most: count_workers(connection, at_most))
    return Page[WorkerShape](items=[_shape(worker) for worker in shown], next_cursor=cursor, **counted)


def _shape(worker: Worker) -> WorkerShape:
    return WorkerShape(
        id=worker.id,
        name=worker.name,
        version=worker.version,
        kinds=[kind for kind, need in _KINDS.items() if need in worker.kinds],
        foreign=bool(worker.is_foreign),
        capacity=worker.capacity,
        busy=max(0, worker.capacity - worker.slots_free),
        last_seen_at=worker.last_seen_at,
    )


def _cursor(place: WorkerPlace) -> str:
    return next_key(_PLACE.pack(place.as_of, place.seen, bytes(place.id)))


def _place(cursor: str) -> WorkerPlace:
    as_of, seen, worker_id = _PLACE.unpack(cursor_key(cursor, _PLACE.size))
    return WorkerPlace(as_of, seen, Id(worker_id))


@router.post("/stream_tickets", response={201: Ticket}, summary="Make a ticket for a stream")
def create_stream_ticket(request: HttpRequest) -> Any:
    """A browser's EventSource cannot send headers: this goes into its address instead."""
    ticket, seconds = platform().tickets.issue(actor_of(request))
    return Status(201, Ticket(ticket=ticket, expires_in_s=int(seconds)))
