"""Doing it again: edit and rerun, retry from the start or from any job."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kivuko.errors import BodyWiped, MoveRefused, RecordMissing, TooSoon
from kivuko.records.editing import Edit
from kivuko.records.ids import Id, new_id
from kivuko.records.reports import EndRun, Follow
from kivuko.records.retrying import Retry
from kivuko.records.rows import Attempt, AttemptRun, LiveAttempt, Message, MessageVersion, Run, WorkOrder
from kivuko.records.starting import Input, Origin
from kivuko.records.states import AttemptState, Cause, Encoding, ExitReason, WorkOrderState
from kivuko.records.work import StartWork
from records.scenes import Scene
from records.workers import Hand, begun, claim, clip


def edited(scene: Scene, message_id: Id, number: int) -> MessageVersion:
    return MessageVersion(message_id, number, scene.project_id, Encoding.RAW, b'{"a":2}', None, 7, scene.now_us, author_id=new_id())


def again(hand: Hand, *jobs: Id, **fields: Any) -> Retry:
    return Retry(hand.id, new_id(), new_id(), new_id(), tuple((new_id(), job) for job in jobs), **fields)


def test_edits_are_versions_and_runs_say_which_one_they_used(scene: Scene) -> None:
    job = new_id()
    message = scene.accept(scene.start(job)).message_id
    for number in (2, 3):
        scene.after(10)
        assert scene.do(Edit(edited(scene, message, number))) == number
        scene.do(StartWork(scene.start(job, cause=Cause.RERUN), Origin(scene.project_id), Input(message)))
    assert [run.message_version for run in scene.rows(Run)] == [1, 2, 3]
    assert [version.body for version in scene.rows(MessageVersion)] == [b'{"a":1}', b'{"a":2}', b'{"a":2}']
    assert scene.one(Message).newest_version == 3


def test_an_edit_of_an_older_version_is_refused_and_a_repeated_one_is_not(scene: Scene) -> None:
    message = scene.accept().message_id
    version = edited(scene, message, 2)
    assert [scene.do(Edit(version)), scene.do(Edit(version))] == [2, 2]
    with pytest.raises(MoveRefused, match="has version 2 by now"):
        scene.do(Edit(edited(scene, message, 2)))
    with pytest.raises(RecordMissing):
        scene.do(Edit(edited(scene, new_id(), 2)))


def three_jobs(scene: Scene) -> tuple[Hand, list[Run]]:
    """A → B (fails) and A → C: finished."""
    hand = begun(scene)
    (first,) = hand.runs()
    output = clip(scene, hand)
    follows = tuple(Follow(new_id(), new_id(), input_dataclip_id=output.id) for _ in range(2))
    ended = scene.do(EndRun(hand.id, hand.number, first.id, first.job_id, ExitReason.SUCCESS, output=output, next=follows))
    hand.end(ended.next_ids[0], reason=ExitReason.FAIL, error_type="JobError")
    hand.end(ended.next_ids[1])
    hand.finish(ExitReason.FAIL, "JobError")
    scene.after(10)
    return hand, [scene.get(Run, run) for run in (first.id, *ended.next_ids)]


def test_a_retry_from_a_job_has_its_input_and_shows_what_is_not_repeated(scene: Scene) -> None:
    hand, (first, failed, other) = three_jobs(scene)
    intent = again(hand, failed.job_id, from_run_id=failed.id)
    started = scene.do(intent)
    assert started.attempt_id == intent.retry_id
    run = scene.one(Run, "WHERE attempt_id = ?", intent.retry_id)
    assert (run.job_id, run.input_dataclip_id, run.parent_run_id) == (failed.job_id, failed.input_dataclip_id, first.id)
    assert (run.cause, run.run_number, run.snapshot_id) == (Cause.RERUN, 4, intent.snapshot_id)
    assert {shown.run_id for shown in scene.rows(AttemptRun)} == {first.id, other.id}
    attempt = scene.get(Attempt, intent.retry_id)
    assert (attempt.work_order_id, attempt.retry_of, attempt.cause) == (hand.attempt.work_order_id, hand.id, Cause.RERUN)
    assert scene.one(LiveAttempt).priority == 0
    assert scene.one(WorkOrder).state is WorkOrderState.PENDING
    assert scene.job_states() == scene.calculated()
    second = claim(scene)
    second.start()
    second.end(run.id)
    assert second.finish() is AttemptState.SUCCESS
    assert scene.one(WorkOrder).state is WorkOrderState.SUCCESS


def test_a_retry_from_the_first_job_shows_nothing_of_before(scene: Scene) -> None:
    hand, (first, *_) = three_jobs(scene)
    scene.do(again(hand, first.job_id, from_run_id=first.id))
    assert scene.rows(AttemptRun) == []


def test_a_retry_from_the_start_uses_the_work_orders_input(scene: Scene) -> None:
    hand, (first, *_) = three_jobs(scene)
    intent = again(hand, first.job_id)
    scene.do(intent)
    run = scene.one(Run, "WHERE attempt_id = ?", intent.retry_id)
    assert (run.message_id, run.message_version, run.input_dataclip_id) == (first.message_id, 1, None)


def test_a_repeated_retry_makes_one_attempt(scene: Scene) -> None:
    hand, (first, *_) = three_jobs(scene)
    intent = again(hand, first.job_id)
    assert scene.do(intent) == scene.do(intent)
    assert len(scene.rows(Attempt)) == 2


def test_a_retry_obeys_the_ten_seconds(scene: Scene) -> None:
    hand, (first, *_) = three_jobs(scene)
    intent = again(hand, first.job_id)
    scene.do(intent)
    with pytest.raises(TooSoon) as refused:
        scene.do(again(hand, first.job_id))
    assert refused.value.run_id == str(intent.runs[0][0])
    assert len(scene.rows(Attempt)) == 2


def test_a_retry_without_its_input_or_before_the_end_is_refused(scene: Scene) -> None:
    hand, (first, failed, _) = three_jobs(scene)
    scene.reader.query("UPDATE dataclip SET body = NULL, wiped_at = ?", 1)
    with pytest.raises(BodyWiped, match="dataclip"):
        scene.do(again(hand, failed.job_id, from_run_id=failed.id))
    with pytest.raises(RecordMissing, match="is none of attempt"):
        scene.do(again(hand, failed.job_id, from_run_id=new_id()))
    with pytest.raises(RecordMissing):
        scene.do(replace(again(hand, first.job_id), attempt_id=new_id()))
    running = begun(scene)
    with pytest.raises(MoveRefused, match="still started"):
        scene.do(again(running, running.runs()[0].job_id))
