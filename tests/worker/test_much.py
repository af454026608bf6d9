"""A lot at once: the server's memory stays flat, and others go on meanwhile (R-064)."""

from __future__ import annotations

from pathlib import Path

import pytest

from kivuko.records import AttemptState
from worker.rooms import Room, flow

pytestmark = pytest.mark.slow

LINES = (
    "fn(s => { for (let i = 0; i < 100000; i++) console.log('record', i, 'was sent to the other system and accepted'); return { i: 1 } })"
)
RECORDS = "fn(s => ({ data: s.data.map(record => ({ ...record, sent: true })) }))"


def resident_mb() -> float:
    """Memory of this process."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * 4096 / 1e6


def test_a_hundred_thousand_log_lines_in_flat_memory(room: Room) -> None:
    room.worker()
    quick = flow({"Quick": "fn(s => ({ n: 1 }))"})
    snapshot = room.world.keep(quick)
    room.run(quick)
    before = most = resident_mb()
    started = room.send(flow({"Lines": LINES}))
    others = 0
    while not room.world.attempt(started.attempt_id).state.finished:
        assert room.run(quick, snapshot_id=snapshot).state is AttemptState.SUCCESS
        others += 1
        most = max(most, resident_mb())
    assert room.ended(started.attempt_id).state is AttemptState.SUCCESS
    with room.world.records.reading() as connection:
        ((count, last),) = connection.query(
            "SELECT count(*), max(seq) FROM log_line WHERE attempt_id = ? AND source = 'JOB'", started.attempt_id
        )
    assert (count, last) == (100_000, 100_002)
    assert others > 0
    assert most - before < 100


def test_a_hundred_thousand_records_pass(room: Room) -> None:
    room.worker()
    room.run(flow({"Quick": "fn(s => s)"}))
    records = [{"id": at, "name": f"patient {at}", "village": "Kibera"} for at in range(100_000)]
    before = resident_mb()
    attempt = room.run(flow({"Records": RECORDS}), records)
    assert (attempt.state, attempt.error_type) == (AttemptState.SUCCESS, None)
    assert resident_mb() - before < 200
    assert room.state(attempt.final_dataclip_id)["data"][99_999] == {
        "id": 99_999,
        "name": "patient 99999",
        "village": "Kibera",
        "sent": True,
    }
