"""What lanes and workers read about one Attempt."""

from __future__ import annotations

from pathlib import Path

import pytest

from kivuko.errors import BodyWiped, InputError, RecordMissing
from kivuko.records.ids import Id, new_id
from kivuko.records.leases import Held
from kivuko.records.logs import Line, WriteLogs
from kivuko.records.opening import Records, database_at
from kivuko.records.payloads import Payloads
from kivuko.records.pins import Pin
from kivuko.records.postgresql import PostgresqlDatabase
from kivuko.records.reading import (
    held_attempts,
    last_final_state,
    last_output,
    leases_held,
    log_after,
    read_attempt,
    read_dataclip,
    read_message_body,
    unfinished_of_trigger,
    waiting_by_queue,
)
from kivuko.records.reports import EndRun, Follow
from kivuko.records.retention import Part, WipeBodies
from kivuko.records.retrying import Retry
from kivuko.records.rows import Dataclip, LiveAttempt
from kivuko.records.sqlite import SqliteDatabase
from kivuko.records.states import ExitReason
from records.scenes import Scene
from records.workers import begun, claim, clip


def test_an_attempt_with_its_frontier(scene: Scene) -> None:
    hand = begun(scene)
    (first,) = hand.runs()
    output = clip(scene, hand, b'{"n":1}')
    follow = Follow(new_id(), new_id(), input_dataclip_id=output.id)
    scene.do(EndRun(hand.id, hand.number, first.id, first.job_id, ExitReason.SUCCESS, output=output, next=(follow,)))
    record = read_attempt(scene.reader, hand.id)
    assert [run.id for run in record.frontier] == [follow.run_id]
    assert (len(record.runs), record.shown, record.last_seq) == (2, (), 0)
    assert record.work_order.id == record.attempt.work_order_id
    assert read_dataclip(scene.reader, Payloads(), output.id) == b'{"n":1}'
    message, body = read_message_body(scene.reader, Payloads(), record.work_order.message_id or new_id(), 1)
    assert (message.id, body) == (record.work_order.message_id, b'{"a":1}')


def test_a_retry_shows_what_it_does_not_repeat(scene: Scene) -> None:
    hand = begun(scene, new_id(), new_id())
    first, second = hand.runs()
    for run in (first, second):
        hand.end(run.id)
    hand.finish()
    scene.after(10)
    retry = Retry(hand.id, new_id(), new_id(), new_id(), ((new_id(), second.job_id),), from_run_id=second.id)
    scene.do(retry)
    record = read_attempt(scene.reader, retry.retry_id)
    assert [run.id for run in record.shown] == [first.id]
    assert len(record.frontier) == 1


def test_a_log_resumes_exactly(scene: Scene) -> None:
    hand = begun(scene)
    scene.do(WriteLogs(hand.id, hand.number, tuple(Line(f"{at}", at) for at in range(1, 31)), first_seq=1))
    assert [line.seq for line in log_after(scene.reader, hand.id, 10, at_most=5)] == [11, 12, 13, 14, 15]
    assert log_after(scene.reader, hand.id, 30) == []
    assert read_attempt(scene.reader, hand.id).last_seq == 30


def test_what_is_not_there(scene: Scene) -> None:
    with pytest.raises(RecordMissing):
        read_attempt(scene.reader, new_id())
    with pytest.raises(RecordMissing):
        read_dataclip(scene.reader, Payloads(), new_id())
    with pytest.raises(RecordMissing):
        read_message_body(scene.reader, Payloads(), scene.accept().message_id, 2)
    hand = begun(scene)
    output = clip(scene, hand)
    hand.end(hand.runs()[0].id, output=output)
    scene.reader.query("UPDATE dataclip SET body = NULL, wiped_at = ?", 1)
    assert scene.one(Dataclip).id == output.id
    with pytest.raises(BodyWiped):
        read_dataclip(scene.reader, Payloads(), output.id)


def test_leases_and_waiting_work_are_listed(scene: Scene) -> None:
    hand = begun(scene)
    scene.accept(scene.start(), scene.start(queue="manual"))
    waiting = waiting_by_queue(scene.reader)
    assert {queue: count for queue, (count, _) in waiting.items()} == {"default": 1, "manual": 1}
    (lease,) = leases_held(scene.reader)
    assert (lease.attempt_id, lease.claim_number, lease.renewed) == (hand.id, hand.number, 0)
    # The scene's clock is years behind or ahead of the database's, by which the rest is counted.
    until = scene.get(LiveAttempt, hand.id).lease_until
    assert until is not None
    assert abs(lease.left_us - (until - scene.reader.now_us())) < 60_000_000


def test_an_address_names_its_database(tmp_path: Path) -> None:
    assert isinstance(database_at("", tmp_path), SqliteDatabase)
    assert isinstance(database_at("postgresql://localhost/kivuko", tmp_path), PostgresqlDatabase)
    absolute = database_at("sqlite:////srv/kivuko.db", tmp_path)
    assert isinstance(absolute, SqliteDatabase)
    assert absolute.path == Path("/srv/kivuko.db")
    with pytest.raises(InputError, match="mysql://… is no kind"):
        database_at("mysql://localhost/x", tmp_path)
    with pytest.raises(InputError) as refused:
        database_at("postgresql:/kivuko:hunter2@db/kivuko", tmp_path)
    assert "hunter2" not in str(refused.value)
    for unreadable in (
        "postgresql://u:hunter2%zz@host/x",
        "postgresql://u:hunter2@host:x5432/x",
        "postgresql://u:hunter2@host/x?hunter2=1",
    ):
        with pytest.raises(InputError, match="of the PostgreSQL database") as refused:
            database_at(unreadable, tmp_path)
        assert "hunter2" not in f"{refused.value} {refused.value.fix}"
        assert refused.value.__cause__ is None


def test_readers_are_lent_again_unless_they_failed(tmp_path: Path) -> None:
    records = Records(SqliteDatabase(tmp_path / "kivuko.db"))
    with records.reading() as first:
        pass
    with records.reading() as second:
        assert second is first
    with pytest.raises(RecordMissing), records.reading() as connection:
        read_attempt(connection, new_id())
    with records.reading() as third:
        assert third is not first
    assert (records.problem, records.backlog) == ("", 0)
    records.close()


def test_a_schedule_begins_with_what_the_last_success_gave_and_that_is_pinned(scene: Scene) -> None:
    job, workflow, trigger = new_id(), new_id(), new_id()
    outputs = []
    for reason in (ExitReason.SUCCESS, ExitReason.SUCCESS, ExitReason.FAIL):
        scene.after(60)
        scene.accept(scene.start(job, workflow_id=workflow, trigger_id=trigger))
        hand = claim(scene)
        assert unfinished_of_trigger(scene.reader, workflow, trigger) == [hand.id]
        outputs.append(clip(scene, hand))
        hand.end(hand.runs()[0].id, reason=reason, output=outputs[-1])
        hand.finish(reason, final_dataclip_id=outputs[-1].id)
    assert unfinished_of_trigger(scene.reader, workflow, trigger) == []
    assert last_output(scene.reader, job) == outputs[1].id
    assert last_final_state(scene.reader, workflow) == outputs[1].id
    assert (last_output(scene.reader, new_id()), last_final_state(scene.reader, new_id())) == (None, None)
    for output in outputs[:2]:
        scene.do(Pin(job, output.id))
    assert [kept.pinned_by for kept in scene.rows(Dataclip)] == [None, job, None]
    scene.do(WipeBodies(scene.project_id, Part.ATTEMPTS, Id(b"\xff" * 16)))
    assert [kept.body is None for kept in scene.rows(Dataclip)] == [True, False, True]
    scene.do(Pin(job, None))
    assert [kept.pinned_by for kept in scene.rows(Dataclip)] == [None, None, None]


def test_what_a_worker_holds_can_be_released_when_it_is_known_to_be_gone(scene: Scene) -> None:
    hand = begun(scene)
    worker = scene.one(LiveAttempt).worker_id
    assert worker
    assert held_attempts(scene.reader, worker) == [Held(hand.id, hand.number)]
