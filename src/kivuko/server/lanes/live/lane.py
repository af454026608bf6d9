"""``GET /api/v1/projects/{id}/events`` and ``GET /api/v1/attempts/{id}/log/stream``: server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from kivuko.errors import MethodNotAllowed, RecordsUnavailable, RequestRefused, ShuttingDown, ValidationFailed
from kivuko.records import Id, Records
from kivuko.records.live_states import attempt_standing
from kivuko.server.answers import problem
from kivuko.server.headers import request_id_of
from kivuko.server.lanes.live.admission import Admission, unknown
from kivuko.server.lanes.live.feed import TOPICS, Feed, Page
from kivuko.server.lanes.live.log_tail import LogTails
from kivuko.server.lanes.live.streaming import Streaming

__all__ = ["AttemptLog", "ProjectEvents", "live_routes"]

_LOOK_EVERY_S = 5.0


@dataclass(frozen=True)
class _Stream:
    """What both streams have in common: one request is refused in the house's form, or streamed."""

    admission: Admission[Any]
    streaming: Streaming

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        request = Request(scope)
        try:
            if scope["method"] != "GET":
                raise MethodNotAllowed(fix="Use GET.")
            if self.streaming.ending.is_set():
                raise ShuttingDown(retry_after_s=5)
            await self._answer(request, receive, send)
        except (RequestRefused, RecordsUnavailable, ValidationFailed) as error:
            await problem(error, request_id_of(scope["headers"]))(scope, receive, send)

    async def _answer(self, request: Request, receive: Receive, send: Send) -> None:
        raise NotImplementedError


@dataclass(frozen=True)
class ProjectEvents(_Stream):
    """What changes in a project. An event that a page saw last is followed by those after it, or by ``reset``."""

    feed: Feed

    async def _answer(self, request: Request, receive: Receive, send: Send) -> None:
        actor = await self.admission.actor(request)
        project_id = _id_of(request)
        kinds = _kinds(request)
        await self.admission.check(actor, project_id)
        page = await self.feed.open(project_id, kinds, _last_seen(request))
        try:
            await self.streaming.send(self._texts(page), lambda: self.admission.check(actor, project_id), receive, send)
        finally:
            self.feed.close(page)

    async def _texts(self, page: Page) -> AsyncGenerator[bytes]:
        while True:
            yield page.take(self.feed.ring.last_name)
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_EVERY_S):
                    await page.changed.wait()


@dataclass(frozen=True)
class AttemptLog(_Stream):
    """The log of an Attempt, from the line after the one that was seen last to its end."""

    records: Records
    tails: LogTails

    async def _answer(self, request: Request, receive: Receive, send: Send) -> None:
        actor = await self.admission.actor(request)
        attempt_id = _id_of(request)
        standing = await asyncio.to_thread(self._standing, attempt_id)
        if standing is None:
            raise unknown()
        await self.admission.check(actor, standing)
        texts = self.tails.follow(attempt_id, _seq(request))
        await self.streaming.send(texts, lambda: self.admission.check(actor, standing), receive, send)

    def _standing(self, attempt_id: Id) -> Id | None:
        with self.records.reading() as connection:
            found = attempt_standing(connection, attempt_id)
        return found.project_id if found else None


def live_routes(events: ProjectEvents, log: AttemptLog) -> list[Route]:
    """Both streams at their paths, for the outer app to mount before the bridge."""
    return [Route("/api/v1/projects/{id}/events", events), Route("/api/v1/attempts/{id}/log/stream", log)]


def _id_of(request: Request) -> Id:
    text = request.path_params["id"]
    try:
        if len(text) != 36:
            raise ValueError(text)
        return Id.parse(text)
    except ValueError:
        raise unknown() from None


def _kinds(request: Request) -> list[str]:
    """The kinds of the topics that are asked for: all of them when none is. Raises ValidationFailed."""
    given = [topic for value in request.query_params.getlist("topics") for topic in value.split(",") if topic]
    strange = [topic for topic in given if topic not in TOPICS]
    if strange:
        raise ValidationFailed(f"there is no topic {strange[0]!r}", fix=f"Use some of: {', '.join(TOPICS)}.")
    return [TOPICS[topic] for topic in given or TOPICS]


def _last_seen(request: Request) -> str | None:
    return request.headers.get("last-event-id") or request.query_params.get("last_event_id")


def _seq(request: Request) -> int:
    """The number of the line that was seen last. Raises ValidationFailed for what is no number."""
    text = _last_seen(request) or request.query_params.get("after_seq") or "0"
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise ValidationFailed(f"the line seen last is {text[:40]!r}, which is no number", fix="Send the id of the last event.")
    return int(text)
