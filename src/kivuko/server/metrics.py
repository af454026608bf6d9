"""``/metrics``: what an operator watches, in Prometheus' text format."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response

from kivuko.errors import RecordsUnavailable, Unauthenticated
from kivuko.records import Records, waiting_by_queue
from kivuko.server.answers import bytes_answer, problem
from kivuko.server.headers import request_id_of

__all__ = ["Metrics", "MetricsPage", "StreamCounts"]

_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """The numbers of one process. ``gauges`` are read when somebody asks: name and help to a function."""

    def __init__(self, records: Records, gauges: Mapping[tuple[str, str], Callable[[], float]] | None = None) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.registry.register(_Queues(records))
        requests = Counter("kivuko_requests", "Requests that were answered", ["lane", "status"], registry=self.registry)
        seconds = Histogram("kivuko_request_seconds", "Time to the answer", ["lane"], buckets=_SECONDS, registry=self.registry)
        self._requests, self._seconds = requests, seconds
        self._counted: dict[tuple[str, int], Counter] = {}
        self._timed: dict[str, Histogram] = {}
        self.streams = StreamCounts(self.registry)
        self.lease_expiries = Counter("kivuko_lease_expiries", "Leases that were taken from workers", registry=self.registry)
        self.add_gauge("kivuko_writes_waiting", "Intents that wait to be written", lambda: records.backlog)
        for (name, about), read in (gauges or {}).items():
            self.add_gauge(name, about, read)

    def add_gauge(self, name: str, about: str, read: Callable[[], float]) -> None:
        """A number that is read when somebody asks."""
        Gauge(name, about, registry=self.registry).set_function(read)

    def observe(self, lane: str, status: int, seconds: float) -> None:
        """One request: how it was answered, and how soon."""
        counted = self._counted.get((lane, status))
        if counted is None:
            counted = self._counted[lane, status] = self._requests.labels(lane, str(status))
        counted.inc()
        timed = self._timed.get(lane)
        if timed is None:
            timed = self._timed[lane] = self._seconds.labels(lane)
        timed.observe(seconds)


class StreamCounts:
    """The live pages, counted."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._open = Gauge("kivuko_streams", "Live pages that are open", registry=registry)
        self._dropped = Counter("kivuko_streams_dropped", "Live pages that read too slowly", registry=registry)

    def opened(self) -> None:
        """One more."""
        self._open.inc()

    def closed(self) -> None:
        """One less."""
        self._open.dec()

    def dropped(self) -> None:
        """One was too slow."""
        self._dropped.inc()


class _Queues(Collector):
    """What waits, read from the database."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def collect(self) -> Iterable[Metric]:
        waiting = GaugeMetricFamily("kivuko_attempts_waiting", "Attempts that wait for a worker", labels=["queue"])
        oldest = GaugeMetricFamily("kivuko_oldest_waiting_seconds", "How long the oldest of them has waited", labels=["queue"])
        up = GaugeMetricFamily("kivuko_database_up", "Whether the database can be read and written to")
        try:
            with self._records.reading() as connection:
                found = waiting_by_queue(connection)
        except RecordsUnavailable:
            found = {}
            up.add_metric([], 0)
        else:
            up.add_metric([], 0 if self._records.problem else 1)
        for queue, (count, since_us) in found.items():
            waiting.add_metric([queue], count)
            oldest.add_metric([queue], max(0.0, time.time() - since_us / 1_000_000))
        return [waiting, oldest, up, *self._commits()]

    def _commits(self) -> Iterable[Metric]:
        """Their quotient is the size of a commit."""
        committed = self._records.committed
        yield CounterMetricFamily("kivuko_commits", "Transactions that were committed", value=committed.transactions)
        yield CounterMetricFamily("kivuko_committed_intents", "What they have written, in intents", value=committed.intents)


class MetricsPage:
    """The answer, to those who may see it."""

    def __init__(self, metrics: Metrics, may_see: Callable[[Request], Awaitable[bool]]) -> None:
        self._metrics = metrics
        self._may_see = may_see

    async def __call__(self, request: Request) -> Response:
        """200 with all numbers, or 401."""
        request_id = request_id_of(request.scope["headers"])
        if not await self._may_see(request):
            return problem(Unauthenticated("metrics need a token", fix="Send Authorization: Bearer with an API token."), request_id)
        text = await asyncio.to_thread(generate_latest, self._metrics.registry)
        return bytes_answer(text, 200, request_id, _CONTENT_TYPE)
