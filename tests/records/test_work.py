"""Starting by hand, by schedule, again: the 10-second rule, inputs that are gone, happenings that happen once."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from kivuko.errors import BodyWiped, RecordMissing, TooSoon
from kivuko.records.database import Database
from kivuko.records.ids import Id, new_id
from kivuko.records.rows import Dataclip, Message, Run, WorkOrder
from kivuko.records.starting import Input, Origin
from kivuko.records.states import Cause, DataclipKind, Encoding, Once
from kivuko.records.work import AlreadyStarted, Happening, StartWork
from records.scenes import SECOND, Scene


def again(scene: Scene, message_id: Id, job: Id, **fields: object) -> StartWork:
    intent = StartWork(scene.start(job, cause=Cause.MANUAL), Origin(scene.project_id), Input(message_id))
    return replace(intent, **fields)  # type: ignore[arg-type]


def test_a_job_may_start_again_for_a_message_after_ten_seconds_and_not_before(scene: Scene) -> None:
    job = new_id()
    accepted = scene.accept(scene.start(job))
    scene.after(9.5)
    with pytest.raises(TooSoon) as refused:
        scene.do(again(scene, accepted.message_id, job))
    assert refused.value.retry_after_s == 0.5
    assert refused.value.run_id == str(accepted.started[0].run_ids[0])
    scene.after(0.5)
    scene.do(again(scene, accepted.message_id, job))
    assert [run.run_number for run in scene.rows(Run)] == [1, 2]
    assert scene.get(Message, accepted.message_id).run_count == 2
    assert scene.job_states() == scene.calculated()


def test_nobody_waits_longer_than_ten_seconds_even_with_a_clock_that_began_before(scene: Scene) -> None:
    """A transaction's time is that of its beginning: who waited for a lock sees starts from its own future."""
    job = new_id()
    accepted = scene.accept(scene.start(job))
    scene.after(-0.006)
    with pytest.raises(TooSoon) as refused:
        scene.do(again(scene, accepted.message_id, job))
    assert refused.value.retry_after_s == 10


def test_another_job_of_the_message_is_not_concerned(scene: Scene) -> None:
    accepted = scene.accept(scene.start())
    scene.do(again(scene, accepted.message_id, new_id()))
    assert len(scene.rows(Run)) == 2


def test_a_refused_start_leaves_nothing(scene: Scene) -> None:
    job = new_id()
    accepted = scene.accept(scene.start(job))
    other = again(scene, accepted.message_id, job)
    with pytest.raises(TooSoon):
        scene.do(replace(other, start=scene.start(new_id(), job)))
    assert len(scene.rows(WorkOrder)) == 1


def test_four_writers_start_a_pair_once(database: Database) -> None:
    scenes = [Scene(database) for _ in range(4)] if database.dialect == "postgresql" else [Scene(database)] * 4
    job = new_id()
    messages = [scenes[0].accept().message_id for _ in range(40)]
    won: list[Id] = []
    ready = threading.Barrier(4)

    def compete(scene: Scene) -> None:
        ready.wait()
        futures = [(message, scene.writer.submit(again(scene, message, job))) for message in messages]
        won.extend(message for message, future in futures if future.exception(20) is None)

    threads = [threading.Thread(target=compete, args=(scene,)) for scene in scenes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == messages
    assert len(scenes[0].rows(Run)) == 40
    for scene in set(scenes):
        scene.close()


def test_schedules_and_chains_know_no_ten_seconds(scene: Scene) -> None:
    job = new_id()
    accepted = scene.accept(scene.start(job))
    scene.do(again(scene, accepted.message_id, job, guard_us=0))
    assert len(scene.rows(Run)) == 2


def test_a_tick_starts_work_once(scene: Scene) -> None:
    tick = Happening(Once.TICK, new_id() + b"2026")
    clip = Dataclip(new_id(), scene.project_id, DataclipKind.SCHEDULE_STATE, None, None, Encoding.RAW, b"{}", None, 2)
    intents = [
        StartWork(
            scene.start(cause=Cause.CRON), Origin(scene.project_id), Input(dataclip_id=clip.id), guard_us=0, once=tick, saved_input=clip
        )
        for _ in range(3)
    ]
    futures = [scene.writer.submit(intent) for intent in intents]
    answers = [future.result(10) for future in futures]
    assert answers[1:] == [AlreadyStarted(intents[0].start.work_order_id)] * 2
    assert scene.one(WorkOrder).dataclip_id == clip.id
    assert scene.one(Run).input_dataclip_id == clip.id
    assert scene.one(Run).run_number is None


def test_an_input_that_does_not_exist_is_refused(scene: Scene) -> None:
    with pytest.raises(RecordMissing, match="version 0 of message"):
        scene.do(again(scene, new_id(), new_id()))
    accepted = scene.accept()
    with pytest.raises(RecordMissing, match="version 7"):
        scene.do(again(scene, accepted.message_id, new_id(), given=Input(accepted.message_id, 7)))
    with pytest.raises(RecordMissing, match="dataclip"):
        scene.do(again(scene, accepted.message_id, new_id(), given=Input(dataclip_id=new_id())))


def test_a_wiped_input_is_refused_and_never_taken_as_empty(scene: Scene) -> None:
    accepted = scene.accept()
    scene.reader.query("UPDATE message_version SET body = NULL, wiped_at = ? WHERE message_id = ?", 1, accepted.message_id)
    with pytest.raises(BodyWiped, match="version 1 of message"):
        scene.do(again(scene, accepted.message_id, new_id()))


def test_the_interval_can_be_set(scene: Scene) -> None:
    job = new_id()
    accepted = scene.accept(scene.start(job))
    scene.after(3)
    scene.do(again(scene, accepted.message_id, job, guard_us=3 * SECOND))
    assert len(scene.rows(Run)) == 2


def test_a_tick_that_is_forgotten_may_happen_again(scene: Scene) -> None:
    tick = Happening(Once.TICK, b"trigger+time", scene.now_us + 60 * SECOND)

    def start() -> object:
        return scene.do(StartWork(scene.start(cause=Cause.CRON), Origin(scene.project_id), Input(), guard_us=0, once=tick))

    start()
    assert isinstance(start(), AlreadyStarted)
    scene.after(60)
    assert not isinstance(start(), AlreadyStarted)
