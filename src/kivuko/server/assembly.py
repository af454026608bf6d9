"""Everything that one server process consists of, put together in its event loop."""

from __future__ import annotations

import asyncio
import importlib
import os
from typing import TYPE_CHECKING

from django.core.handlers.wsgi import WSGIHandler
from django.urls import get_resolver
from starlette.routing import BaseRoute

from kivuko.errors import RecordsUnavailable
from kivuko.platform.accounts.actors import Actor
from kivuko.platform.api.context import Platform, use
from kivuko.platform.changes import on_configuration_change
from kivuko.platform.execution import Limits, PlatformCatalogue, RunTokens, WorkerTokens
from kivuko.records import Id
from kivuko.server.access import Access
from kivuko.server.actors import by_session, by_token, may_see
from kivuko.server.app import outer_app
from kivuko.server.bridge import Bridge
from kivuko.server.clock import Timekeeper
from kivuko.server.configuration_watch import ConfigurationWatch
from kivuko.server.embedded import Worker, adaptors_folder, embedded_worker, release_last_worker
from kivuko.server.entrances import PlatformEntrances
from kivuko.server.foundations import Foundations
from kivuko.server.lanes.ingest import (
    ConfigurationCache,
    ConfigurationSource,
    Endings,
    InboxLane,
    KeyedSource,
    Rates,
    Receiving,
    Reception,
    WebhookLane,
    alias_routes,
    ingest_routes,
)
from kivuko.server.lanes.live import Admission, AttemptLog, Feed, LogTails, ProjectEvents, Streaming, live_routes
from kivuko.server.lanes.workers import Desk, Services, worker_socket
from kivuko.server.metrics import Metrics, MetricsPage
from kivuko.server.proxies import Proxies
from kivuko.server.readiness import Check, Health, Readiness

if TYPE_CHECKING:
    from kivuko.server.fanout import Fanout

__all__ = ["Assembly"]

_LONG_BACKLOG = 20_000


class Assembly:
    """Made in the event loop that it serves. ``app`` is what is served; ``start`` and ``close`` are about the parts that have threads."""

    def __init__(self, foundations: Foundations) -> None:
        settings = foundations.settings
        self._foundations = foundations
        self.metrics = Metrics(foundations.records)
        self._limits = Limits(
            attempt_timeout_ms=settings.attempt_timeout_s * 1000,
            attempt_memory_mb=settings.attempt_memory_mb,
            payload_limit_mb=settings.payload_limit_mb,
        )
        self._timekeeper = self._open_clock()
        self._platform = Platform(foundations.records, foundations.public_url, self._timekeeper.finder)
        use(self._platform)
        self._access: Access[Actor] = Access(by_token, by_session)
        self._watch = ConfigurationWatch()
        self._fanout = None if foundations.on_sqlite else self._open_fanout()
        self._bridge = Bridge(
            WSGIHandler(), threads=settings.web_threads, body_limit_bytes=settings.body_limit_bytes, folder=foundations.folder.incoming
        )
        checks: dict[str, Check] = {"database": self._database, "queue": self._queue}
        if settings.worker:
            checks |= {"engine": self._engine, "adaptors": self._adaptors}
        self.readiness = Readiness(checks)
        self._streaming = Streaming(self.metrics.streams)
        self._desk = self._open_desk()
        self._worker: Worker | None = None
        self._warming: asyncio.Task[int] | None = None
        self._reception = Reception(foundations.records, receiving=Receiving(foundations.folder.incoming))
        self.app = outer_app(
            [*self._ingest(), worker_socket(self._desk, WorkerTokens(foundations.keys.worker_secret)), *self._live()],
            self._bridge,
            health=Health(self.readiness, self._access.may_look_inside),
            metrics=MetricsPage(self.metrics, self._access.may_look_inside),
            proxies=Proxies(settings.trusted_proxies),
            observe=self.metrics.observe,
        )

    async def start(self) -> None:
        """Starts what works by itself. Raises NodeMissing when jobs are to run here and cannot."""
        self._watch.start()
        if self._fanout:
            self._fanout.start()
        await asyncio.to_thread(self._start_worker)
        self._timekeeper.start()
        # The API's modules take a second to import: the first request shall not wait for that, nor the start.
        self._warming = asyncio.create_task(asyncio.to_thread(lambda: len(get_resolver().url_patterns)))

    async def warmed_up(self) -> None:
        """Returns when everything that requests will need is loaded."""
        if self._warming:
            await asyncio.shield(self._warming)

    async def hand_back(self, grace_s: float) -> None:
        """No more work is taken; what runs may end within ``grace_s``."""
        worker, self._worker = self._worker, None
        if worker:
            await asyncio.to_thread(worker.stop, grace_s)

    def end_streams(self) -> None:
        """Live pages end: their browsers come back, to another node or when this one is there again."""
        self._streaming.ending.set()

    async def close(self) -> None:
        """Ends all threads; afterwards only the foundations are left."""
        self._streaming.ending.set()
        if self._warming:
            await self._warming
        await self.hand_back(0)
        await asyncio.to_thread(self._timekeeper.stop)
        await asyncio.to_thread(self._desk.close)
        self._reception.close()
        self._forget()
        await asyncio.to_thread(self._watch.stop)
        if self._fanout:
            await asyncio.to_thread(self._fanout.stop)
        await asyncio.to_thread(self._bridge.close)

    def _open_clock(self) -> Timekeeper:
        foundations = self._foundations
        timekeeper = Timekeeper(
            foundations.records, foundations.rules, limits=self._limits, on_lease_expired=self.metrics.lease_expiries.inc
        )
        foundations.changes.subscribe(timekeeper.heard)
        self.metrics.add_gauge("kivuko_search_behind_seconds", "How far the search index is behind", lambda: timekeeper.indexer.behind_s)
        return timekeeper

    def _open_fanout(self) -> Fanout:
        changes, address = self._foundations.changes, self._foundations.settings.database_url
        # Imported here: SQLite starts without PostgreSQL's driver.
        module = importlib.import_module("kivuko.server.fanout")
        fanout: Fanout = module.Fanout(address, changes.heard_elsewhere, changes.missed, self._watch.look_now)
        changes.subscribe_to_own(fanout.tell)
        on_configuration_change(fanout.tell_configuration)
        return fanout

    def _open_desk(self) -> Desk:
        foundations = self._foundations
        catalogue = PlatformCatalogue(foundations.rules)
        desk = Desk(Services(foundations.records, catalogue, RunTokens(foundations.keys.runs_private_key), self._limits))
        foundations.changes.subscribe(desk.heard)
        foundations.changes.on_gap(desk.work_available)
        self.metrics.add_gauge("kivuko_workers", "Workers that are connected", lambda: desk.connected)
        return desk

    def _start_worker(self) -> None:
        if self._foundations.on_sqlite:
            self.metrics.lease_expiries.inc(release_last_worker(self._foundations.records))
        if self._foundations.settings.worker:
            self._worker = embedded_worker(self._foundations, self._desk)
            self._worker.start()

    def _ingest(self) -> list[BaseRoute]:
        foundations, served = self._foundations, self._foundations.served
        source: ConfigurationSource = PlatformEntrances()
        if served and foundations.settings.inbox_api_key:
            source = KeyedSource(source, foundations.settings.inbox_api_key)
        cache = ConfigurationCache(source)
        self._forget = on_configuration_change(cache.forget)
        endings = Endings(self._foundations.records)
        self._foundations.changes.subscribe(endings.heard)
        rates = Rates()
        inbox = InboxLane(cache, self._reception, endings, rates)
        alias = alias_routes(inbox, served.secret) if served else []
        return [*alias, *ingest_routes(inbox, WebhookLane(cache, self._reception, endings, rates))]

    def _live(self) -> list[BaseRoute]:
        records, changes = self._foundations.records, self._foundations.changes
        feed = Feed(records, on_dropped=self.metrics.streams.dropped)
        tails = LogTails(records)
        changes.subscribe(feed.heard)
        changes.subscribe(tails.heard)
        changes.on_gap(feed.missed)
        admission = Admission(self._access.actor, self._redeem, _may_see)
        return [*live_routes(ProjectEvents(admission, self._streaming, feed), AttemptLog(admission, self._streaming, records, tails))]

    def _redeem(self, ticket: str) -> Actor | None:
        holder = self._platform.tickets.redeem(ticket)
        return holder if isinstance(holder, Actor) else None

    def _database(self) -> str:
        """Whether it can be read and written to."""
        try:
            with self._foundations.records.reading() as connection:
                connection.now_us()
                connection.query("SELECT 1")
        except RecordsUnavailable as problem:
            return problem.message
        return self._foundations.records.problem

    def _engine(self) -> str:
        """Whether jobs can run in this process."""
        worker = self._worker
        return "" if worker and worker.ready else "the worker in this process is not connected"

    def _adaptors(self) -> str:
        """Whether adaptors can be installed, or are there already."""
        folder = adaptors_folder(self._foundations)
        there = next(each for each in (folder, *folder.parents) if each.exists())
        return "" if os.access(there, os.R_OK | os.X_OK) else f"the folder of adaptors {folder} cannot be read"

    def _queue(self) -> str:
        """Whether what is to be written is written."""
        backlog = self._foundations.records.backlog
        return f"{backlog} changes wait to be written" if backlog > _LONG_BACKLOG else ""


async def _may_see(actor: Actor, project_id: Id) -> bool:
    return await asyncio.to_thread(may_see, actor, project_id)
