"""Workers, and the tickets that streams are opened with."""

from __future__ import annotations

from typing import Any, Literal

from django.http import HttpRequest
from ninja import Router
from ninja.responses import Status

from kivuko.platform.api.authentication import actor_of
from kivuko.platform.api.context import platform
from kivuko.platform.api.pages import Page
from kivuko.platform.api.wire import IdText, Moment, Wire
from kivuko.records import Needs
from kivuko.records.listing_runs import workers

__all__ = ["router"]

router = Router(tags=["workers"])


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
def list_workers(request: HttpRequest) -> Any:
    """The last seen first."""
    kinds: dict[Literal["javascript", "python"], Needs] = {"javascript": Needs.JAVASCRIPT, "python": Needs.PYTHON}
    with platform().records.reading() as connection:
        items = [
            WorkerShape(
                id=worker.id,
                name=worker.name,
                version=worker.version,
                kinds=[kind for kind, need in kinds.items() if need in worker.kinds],
                foreign=bool(worker.is_foreign),
                capacity=worker.capacity,
                busy=max(0, worker.capacity - worker.slots_free),
                last_seen_at=worker.last_seen_at,
            )
            for worker in workers(connection)
        ]
    return Page[WorkerShape](items=items)


@router.post("/stream_tickets", response={201: Ticket}, summary="Make a ticket for a stream")
def create_stream_ticket(request: HttpRequest) -> Any:
    """A browser's EventSource cannot send headers: this goes into its address instead."""
    ticket, seconds = platform().tickets.issue(actor_of(request))
    return Status(201, Ticket(ticket=ticket, expires_in_s=int(seconds)))
