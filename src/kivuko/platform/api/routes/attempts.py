"""Attempts: looking at one, cancelling it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router

from kivuko.errors import AlreadyFinished
from kivuko.platform.accounts.policies import Action
from kivuko.platform.api.access import found, require
from kivuko.platform.api.authentication import actor_of
from kivuko.platform.api.context import platform, write
from kivuko.platform.api.shapes.attempts import AttemptWhole, attempt_whole
from kivuko.platform.api.wire import IdText
from kivuko.records import Attempt, Cancel, Id
from kivuko.records.database import Connection
from kivuko.records.listing_runs import attempts_by_id

__all__ = ["attempt_seen", "router"]

router = Router(tags=["attempts"])


def attempt_seen(request: HttpRequest, connection: Connection, attempt_id: Id, *, to_run: bool = False) -> Attempt:
    """An Attempt of a project that who asks may see. Raises ObjectMissing and Forbidden."""
    attempt = found(attempts_by_id(connection, [attempt_id]).get(attempt_id))
    require(request, attempt.project_id, Action.RUN if to_run else Action.SEE)
    return attempt


@router.get("/attempts/{attempt_id}", response=AttemptWhole, summary="Read an attempt")
def read_one_attempt(request: HttpRequest, attempt_id: IdText) -> Any:
    """One attempt with its runs."""
    with platform().records.reading() as connection:
        return attempt_whole(connection, attempt_seen(request, connection, attempt_id))


@router.post("/attempts/{attempt_id}/cancel", response={202: AttemptWhole}, summary="Cancel an attempt")
def cancel_attempt(request: HttpRequest, attempt_id: IdText) -> Any:
    """One that waits is cancelled at once; one that runs when its worker has stopped it (`cancel_requested_at`)."""
    with platform().records.reading() as connection:
        attempt = attempt_seen(request, connection, attempt_id, to_run=True)
    if attempt.state.finished:
        raise AlreadyFinished(f"attempt {attempt.id} has ended: {attempt.state.name.lower()}")
    write(Cancel(attempt.id, by=actor_of(request).user_id))
    with platform().records.reading() as connection:
        return attempt_whole(connection, attempt_seen(request, connection, attempt_id))
