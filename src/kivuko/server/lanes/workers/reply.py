"""Answers to workers, and how futures of the records become them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

import structlog

from kivuko.errors import BodyWiped, KivukoError, RecordMissing, RecordsUnavailable, StaleClaim
from kivuko.worker.link import Reply

__all__ = ["Reply", "answer", "carry_out", "errors", "ok", "refusal", "refused", "settled"]

R = TypeVar("R")

_log = structlog.get_logger(__name__)


def ok(response: object) -> Reply:
    """It was done; of anything that changes records: it is committed."""
    return Reply("ok", response)


def refused(reason: str) -> Reply:
    """It was not done, for a reason that is one word."""
    return Reply("error", {"reason": reason})


def errors(key: str, *sentences: str) -> Reply:
    """It was not done because of one key of the payload, in the form that OpenFn's worker shows."""
    return Reply("error", {"errors": {key: list(sentences)}})


def refusal(error: BaseException) -> Reply:
    """What an error is called on the wire."""
    match error:
        case StaleClaim():
            return refused("stale_claim")
        case RecordMissing():
            return refused("not_found")
        case RecordsUnavailable():
            return refused("unavailable")
        case BodyWiped():
            return errors("id", error.message)
        case KivukoError():
            return Reply("error", {"reason": error.code, "message": error.message})
    _log.error("a worker's message could not be handled", exc_info=error)
    return refused("internal")


def settled(reply: Reply) -> Future[Reply]:
    """A future that is answered already."""
    future: Future[Reply] = Future()
    future.set_result(reply)
    return future


def carry_out(future: Future[Reply], work: Callable[[], None]) -> None:
    """Does what answers ``future``, now or later. The boundary of one message: whatever goes wrong, its worker hears of it."""
    try:
        work()
    except Exception as problem:  # noqa: BLE001 - said above
        future.set_result(refusal(problem))


def answer(future: Future[Reply], done: Future[R], reply: Callable[[R], Reply]) -> None:
    """Answers ``future`` when ``done`` is, at once on the thread that settles it: ``reply`` must be quick."""
    done.add_done_callback(lambda done: carry_out(future, lambda: future.set_result(reply(done.result()))))
