"""What the last process's worker held."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kivuko.records import (
    Cause,
    Claim,
    Claimed,
    Id,
    Ingest,
    LiveState,
    Message,
    MessageVersion,
    Needs,
    Payloads,
    Records,
    Register,
    StartAttempt,
    Worker,
    database_at,
    new_id,
    new_start,
)
from kivuko.records.rows import LiveAttempt
from kivuko.records.tables import table_of
from kivuko.server.embedded import ALONE, memory_of_this_machine_mb, release_last_worker, slots_for
from kivuko.server.lanes.workers import Identity
from server.own_server import OwnServer

OTHER = Identity("elsewhere").key


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    """Records with two known workers: the embedded one, and one on another machine."""
    opened = Records(database_at("", tmp_path))
    for key in (Identity(ALONE).key, OTHER):
        opened.submit(Register(Worker(key, "w", "1", Needs.JAVASCRIPT, 0, 5, 5, 0))).result(20)
    yield opened
    opened.close()


def taken(records: Records, worker_id: Id, *, begun: bool) -> Claimed:
    """An Attempt that a worker has claimed, and begun or not."""
    message, project = new_id(), new_id()
    stored = Payloads().store(message, b"{}")
    version = MessageVersion(message, 1, project, stored.encoding, stored.body, None, 2, inserted_at=0)
    start = new_start(new_id(), new_id(), new_id(), Cause.MESSAGE, (new_id(),))
    records.submit(Ingest(Message(message, project, new_id()), version, (start,), None)).result(20)
    (claimed,) = records.submit(Claim(worker_id, 1)).result(20)
    if begun:
        records.submit(StartAttempt(claimed.attempt_id, claimed.claim_number)).result(20)
    return claimed


def queue(records: Records) -> dict[Id, LiveState]:
    """The unfinished Attempts."""
    names = ", ".join(column.name for column in table_of(LiveAttempt).columns)
    with records.reading() as connection:
        rows = [table_of(LiveAttempt).load(row) for row in connection.query(f"SELECT {names} FROM live_attempt")]
    return {row.attempt_id: row.state for row in rows}


def test_what_it_had_claimed_waits_again_and_what_it_had_begun_is_tried_again(records: Records) -> None:
    claimed = taken(records, Identity(ALONE).key, begun=False)
    begun = taken(records, Identity(ALONE).key, begun=True)
    assert release_last_worker(records) == 2
    found = queue(records)
    assert found[claimed.attempt_id] is LiveState.QUEUED
    assert begun.attempt_id not in found
    assert sorted(found.values()) == [LiveState.QUEUED, LiveState.QUEUED]


def test_workers_on_other_machines_keep_theirs(records: Records) -> None:
    held = taken(records, OTHER, begun=True)
    assert release_last_worker(records) == 0
    assert queue(records) == {held.attempt_id: LiveState.STARTED}


def test_what_a_restart_takes_from_the_last_process_counts_as_expired(tmp_path: Path) -> None:
    with OwnServer("--data", str(tmp_path)) as server:
        token = server.token
        assert server.stop() == 0
    opened = Records(database_at("", tmp_path))
    opened.submit(Register(Worker(Identity(ALONE).key, "w", "1", Needs.JAVASCRIPT, 0, 5, 5, 0))).result(20)
    taken(opened, Identity(ALONE).key, begun=True)
    taken(opened, Identity(ALONE).key, begun=False)
    opened.close()
    with OwnServer("--data", str(tmp_path)) as server:
        _, numbers = server.ask("GET", "/metrics", headers={"authorization": f"Bearer {token}"})
        assert "kivuko_lease_expiries_total 2.0" in numbers.splitlines()
        assert server.stop() == 0


@pytest.mark.parametrize(("memory_mb", "slots"), [(500, 5), (1500, 5), (3000, 10), (64_000, 24)])
def test_slots_by_memory(memory_mb: float, slots: int) -> None:
    assert slots_for(memory_mb) == slots


def test_memory_is_at_most_what_the_machine_has() -> None:
    total_kb = int(Path("/proc/meminfo").read_text().split("MemTotal:")[1].split()[0])
    assert 0 < memory_of_this_machine_mb() <= total_kb * 1024 / 1e6
