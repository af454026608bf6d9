"""What is accepted is complete: the message, its work orders, Attempts, places in the queue, Runs, job-states and guards."""

from __future__ import annotations

from kivuko.records.handlers import handlers
from kivuko.records.ids import new_id
from kivuko.records.ingest import ingest
from kivuko.records.intents import Transaction
from kivuko.records.rows import Attempt, LiveAttempt, Message, MessageVersion, Run, StartGuard, WorkOrder
from kivuko.records.states import AttemptState, Cause, JobResult, LiveState, WorkOrderState
from kivuko.records.writer import Writer
from records.flaky import Flaky
from records.scenes import SECOND, Scene


def test_a_message_that_matches_nothing_is_kept_and_starts_nothing(scene: Scene) -> None:
    accepted = scene.accept()
    assert scene.one(Message).id == accepted.message_id
    assert scene.one(MessageVersion).body == b'{"a":1}'
    assert (accepted.started, scene.rows(WorkOrder)) == ((), [])


def test_one_message_one_job_one_run_and_it_is_in_progress_from_the_start(scene: Scene) -> None:
    start = scene.start()
    accepted = scene.accept(start)
    ((run_id, job_id),) = start.runs
    assert accepted.started[0].run_ids == (run_id,)
    run = scene.one(Run)
    assert (run.id, run.run_number, run.message_version, run.queued_at, run.started_at) == (run_id, 1, 1, scene.now_us, None)
    assert scene.one(WorkOrder).state is WorkOrderState.PENDING
    assert scene.one(Attempt).state is AttemptState.QUEUED
    assert scene.one(LiveAttempt).state is LiveState.QUEUED
    state = scene.job_states()[accepted.message_id, job_id]
    assert (state.state, state.run_id) == (JobResult.IN_PROGRESS, run_id)
    assert scene.one(StartGuard).run_id == run_id
    assert scene.job_states() == scene.calculated()


def test_a_message_may_start_many_jobs_and_they_are_numbered_by_workflow_then_document(scene: Scene) -> None:
    first, second = scene.start(new_id(), new_id()), scene.start()
    second = scene.start(workflow_id=second.workflow_id)
    accepted = scene.accept(second, first)
    runs = {run.id: run.run_number for run in scene.rows(Run)}
    assert [runs[run] for run, _ in (*first.runs, *second.runs)] == [1, 2, 3]
    assert scene.get(Message, accepted.message_id).run_count == 3


def test_a_job_that_two_triggers_start_for_one_message_runs_once(scene: Scene) -> None:
    job, workflow = new_id(), new_id()
    starts = [scene.start(job, workflow_id=workflow, trigger_id=new_id()) for _ in range(2)]
    accepted = scene.accept(*starts)
    assert len(accepted.started) == 1
    (skipped,) = accepted.skipped
    assert (skipped.job_id, skipped.run_id) == (job, accepted.started[0].run_ids[0])
    assert len(scene.rows(Run)) == 1


def test_a_delayed_start_is_parked(scene: Scene) -> None:
    scene.accept(scene.start(available_at=scene.now_us + SECOND))
    assert scene.one(LiveAttempt).state is LiveState.PARKED
    assert scene.one(Attempt).state is AttemptState.PARKED


def test_the_same_key_starts_one_run_and_the_duplicate_is_kept(scene: Scene) -> None:
    first = scene.message([scene.start()], key=b"k")
    second = scene.message([scene.start()], key=b"k")
    other = scene.message([scene.start()], key=b"other")
    futures = [scene.writer.submit(intent) for intent in (first, second, other)]
    answers = [future.result(10) for future in futures]
    assert [answer.duplicate_of for answer in answers] == [None, first.message.id, None]
    assert scene.get(Message, second.message.id).duplicate_of == first.message.id
    assert len(scene.rows(Run)) == 2
    assert scene.do(scene.message([scene.start()], key=b"k")).duplicate_of == first.message.id


def test_a_key_may_be_used_again_after_its_window(scene: Scene) -> None:
    scene.do(scene.message([scene.start()], key=b"k"))
    scene.after(60)
    assert scene.do(scene.message([scene.start()], key=b"k")).duplicate_of is None
    assert len(scene.rows(Run)) == 2


def test_a_message_of_unknown_outcome_is_written_once_and_work_done_meanwhile_does_not_come_back(scene: Scene) -> None:
    first, second = scene.message([scene.start()], key=b"k"), scene.message([scene.start()], key=b"k")
    scene.do(first)
    flaky = Writer(Flaky(scene.database, ["after"]), handlers(), now_us=lambda: scene.now_us)
    futures = [flaky.submit(scene.message([scene.start(cause=Cause.WEBHOOK)])), flaky.submit(second)]
    accepted, duplicate = (future.result(10) for future in futures)
    flaky.close()
    assert duplicate.duplicate_of == first.message.id
    assert len(scene.rows(Message)) == 3
    assert accepted.started[0].attempt_id in {live.attempt_id for live in scene.rows(LiveAttempt)}
    assert len(scene.rows(LiveAttempt)) == 2


def test_finished_work_is_not_queued_again_by_a_repeated_write(scene: Scene) -> None:
    intent = scene.message([scene.start()])
    scene.do(intent)
    scene.reader.query("DELETE FROM live_attempt WHERE attempt_id = ?", intent.starts[0].attempt_id)
    connection = scene.database.connect()
    connection.begin()
    (answer,) = ingest(Transaction(connection, lambda: scene.now_us, repeated=True), [intent])
    connection.commit()
    connection.close()
    assert answer.started[0].attempt_id == intent.starts[0].attempt_id
    assert scene.rows(LiveAttempt) == []


def test_changes_name_what_is_new(scene: Scene) -> None:
    start = scene.start()
    accepted = scene.accept(start)
    assert {(change.kind, change.id) for change in scene.changes} == {
        ("message", accepted.message_id),
        ("work_order", start.work_order_id),
        ("queued", start.workflow_id),
    }


def test_a_message_that_cannot_be_stored_fails_alone(scene: Scene) -> None:
    intents = [scene.message([scene.start()]) for _ in range(12)]
    intents[5].message.size_bytes = 2**70
    futures = [scene.writer.submit(intent) for intent in intents]
    failed = [at for at, future in enumerate(futures) if future.exception(20) is not None]
    assert failed == [5]
    assert len(scene.rows(Message)) == len(scene.rows(Run)) == 11
    assert scene.accept(scene.start()).started
