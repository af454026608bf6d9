"""What an operator watches."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.requests import Request
from starlette.routing import Route, Router

from kivuko.errors import RecordsUnavailable
from kivuko.records import Cause, Ingest, Message, MessageVersion, Records, database_at, new_id, new_start
from kivuko.records.states import Encoding
from kivuko.server.metrics import Metrics, MetricsPage
from server.asgi import Answer, ask


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    """Records of a server."""
    opened = Records(database_at("", tmp_path))
    yield opened
    opened.close()


def shown(metrics: Metrics, *, may_see: bool = True) -> Answer:
    """The page."""

    async def allowed(request: Request) -> bool:
        return may_see

    return ask(Router([Route("/metrics", MetricsPage(metrics, allowed).__call__)]), "GET", "/metrics")


def numbers(metrics: Metrics) -> dict[tuple[str, tuple[str, ...]], float]:
    """The samples by name and label values."""
    families = text_string_to_metric_families(shown(metrics).body.decode())
    return {(sample.name, tuple(sample.labels.values())): sample.value for family in families for sample in family.samples}


def test_requests_are_counted_and_timed_by_lane(records: Records) -> None:
    metrics = Metrics(records)
    metrics.observe("inbox", 202, 0.004)
    metrics.observe("inbox", 202, 0.2)
    metrics.observe("inbox", 429, 0.001)
    found = numbers(metrics)
    assert found["kivuko_requests_total", ("inbox", "202")] == 2
    assert found["kivuko_requests_total", ("inbox", "429")] == 1
    assert found["kivuko_request_seconds_count", ("inbox",)] == 3
    assert found["kivuko_request_seconds_bucket", ("inbox", "0.005")] == 2


def test_what_waits_is_read_from_the_database(records: Records) -> None:
    message, project = new_id(), new_id()
    start = new_start(new_id(), new_id(), new_id(), Cause.MESSAGE, (new_id(),))
    stored = MessageVersion(message, 1, project, Encoding.RAW, b"{}", None, 2, inserted_at=0)
    records.submit(Ingest(Message(message, project, None, new_id(), b"{}", None, None, None, 2, b""), stored, (start,))).result(20)
    found = numbers(Metrics(records))
    assert found["kivuko_attempts_waiting", ("default",)] == 1
    assert found["kivuko_oldest_waiting_seconds", ("default",)] >= 0
    assert found["kivuko_database_up", ()] == 1


def test_a_database_that_is_away_is_a_number_and_no_failure(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise RecordsUnavailable("away")

    metrics = Metrics(records)
    monkeypatch.setattr(records, "reading", away)
    assert numbers(metrics)["kivuko_database_up", ()] == 0


def test_other_parts_add_their_numbers(records: Records) -> None:
    metrics = Metrics(records, {("kivuko_index_lag_seconds", "How far the index is behind"): lambda: 2.5})
    metrics.streams.opened()
    metrics.streams.dropped()
    found = numbers(metrics)
    assert (found["kivuko_index_lag_seconds", ()], found["kivuko_streams", ()], found["kivuko_streams_dropped_total", ()]) == (2.5, 1, 1)


def test_who_may_not_see_it_is_told_to_authenticate(records: Records) -> None:
    answer = shown(Metrics(records), may_see=False)
    assert (answer.status, answer.json["code"]) == (401, "unauthenticated")


def test_the_size_of_commits_can_be_calculated(records: Records) -> None:
    before = numbers(Metrics(records))
    message, project = new_id(), new_id()
    stored = MessageVersion(message, 1, project, Encoding.RAW, b"{}", None, 2, inserted_at=0)
    records.submit(Ingest(Message(message, project, new_id(), None, b"{}", None, None, None, 2, b""), stored)).result(20)
    after = numbers(Metrics(records))
    assert after["kivuko_commits_total", ()] - before["kivuko_commits_total", ()] == 1
    assert after["kivuko_committed_intents_total", ()] - before["kivuko_committed_intents_total", ()] == 1
