"""What happens to a request when the database is slow, and to nobody's request whatever is sent."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kivuko.errors import RecordsUnavailable
from kivuko.records import Claim, Message, new_id
from kivuko.records.sqlite import SqliteDatabase
from kivuko.records.turns import FifoLock
from records.own_sqlite import empty_sqlite
from server.lanes.ingest.worlds import World

METHODS = st.sampled_from(["POST", "GET", "PUT", "HEAD", "OPTIONS", "DELETE"])
TYPES = st.sampled_from(
    ["application/json", "text/xml", "application/x-www-form-urlencoded", "multipart/form-data; boundary=a", "text/plain", "é"]
)
NAMES = st.sampled_from(
    ["content-type", "content-encoding", "content-length", "authorization", "x-api-key", "idempotency-key", "x-request-id", "expect"]
)
LATIN = st.text(st.characters(max_codepoint=255), max_size=20)


@pytest.fixture
def impatient(tmp_path: Path) -> Iterator[World]:
    """Lanes that do not wait long for the database."""
    with World(empty_sqlite(tmp_path), tmp_path, patience_s=0.05) as opened:
        yield opened


def test_a_message_that_has_not_begun_to_be_written_is_withdrawn(impatient: World, tmp_path: Path) -> None:
    world = impatient
    # Another process writes: this one's own connections would take turns with the writer.
    busy = SqliteDatabase(tmp_path / "kivuko.db", turns=FifoLock()).connect()
    busy.begin()
    try:
        occupying = world.records.submit(Claim(new_id(), 1))
        while not occupying.running():
            pass
        answer = world.post(world.inbox_url, {"n": 1})
    finally:
        busy.rollback()
        busy.close()
    assert (answer.status, answer.json["code"]) == (503, "database_unavailable")
    assert "was not taken" in answer.json["detail"]
    assert occupying.result(20) == ()
    assert world.rows(Message) == []


@pytest.mark.parametrize("begun", [True, False])
def test_what_the_writer_says_late_is_heard_or_let_go(impatient: World, monkeypatch: pytest.MonkeyPatch, begun: bool) -> None:
    late: Future[Any] = Future()
    if begun:
        late.set_running_or_notify_cancel()
    monkeypatch.setattr(impatient.records, "submit", lambda intent: late)
    assert impatient.post(impatient.inbox_url, {}).status == 503
    if begun:
        late.set_exception(RecordsUnavailable())
    assert late.cancelled() is not begun


def test_nobody_gets_a_5xx_whatever_is_sent(tmp_path: Path) -> None:
    with World(empty_sqlite(tmp_path), tmp_path) as world:
        world.enter_inbox(world.target({"a": 1}), world.target())
        paths = st.sampled_from([world.inbox_url, world.hook_url, world.hook_url + "/x"])
        taken = 0

        @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(
            METHODS,
            paths,
            LATIN,
            TYPES,
            st.dictionaries(NAMES, LATIN, max_size=3),
            st.lists(st.binary(max_size=60) | st.sampled_from([b'{"a":1}', b"<a/>"]), max_size=3),
        )
        def send(method: str, path: str, query: str, kind: str, headers: dict[str, str], chunks: list[bytes]) -> None:
            nonlocal taken
            answer = world.ask(method, f"{path}?{query}", *chunks, headers={"content-type": kind, **headers})
            assert answer.status < 500
            assert answer.headers["x-request-id"]
            taken += method == "POST" and answer.status in (200, 202)

        send()
        assert len(world.rows(Message)) == taken
