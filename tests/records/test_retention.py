"""Letting go of the old, keeping what is needed; zero persistence."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from kivuko.errors import BodyWiped
from kivuko.records.database import Database
from kivuko.records.ids import Id, new_id
from kivuko.records.logs import Line, WriteLogs
from kivuko.records.reports import EndRun, Follow
from kivuko.records.retention import BATCH, DeleteHistory, Forget, Part, Vacuum, WipeBodies, oldest_kept
from kivuko.records.rows import (
    Attempt,
    Dataclip,
    JobState,
    LogLine,
    Message,
    MessageVersion,
    OnceOnly,
    Run,
    StartGuard,
    WorkOrder,
)
from kivuko.records.rules import NoRules
from kivuko.records.schema import apply_schema
from kivuko.records.sqlite import SqliteDatabase
from kivuko.records.starting import Input, Origin
from kivuko.records.states import Cause, DataclipKind, Encoding, ExitReason, LogLevel
from kivuko.records.work import StartWork
from records.scenes import SECOND, Scene
from records.workers import Hand, begun, claim, clip

EVERYTHING = Id(b"\xff" * 16)


def finished(scene: Scene) -> Hand:
    """A message whose job ran, with an output and a log line."""
    hand = begun(scene)
    (run,) = hand.runs()
    hand.end(run.id, output=clip(scene, hand))
    scene.do(WriteLogs(hand.id, hand.number, (Line("x", 1),), first_seq=1))
    hand.finish()
    return hand


def wipe(scene: Scene, part: Part, before: Id = EVERYTHING) -> int:
    """Wipes all there is to wipe."""
    after, count = Id(bytes(16)), 0
    while True:
        wiped = scene.do(WipeBodies(scene.project_id, part, before, after))
        count += wiped.count
        if wiped.after is None:
            return count
        after = wiped.after


def delete(scene: Scene, before: Id = EVERYTHING) -> int:
    count = 0
    while deleted := scene.do(DeleteHistory(scene.project_id, before)):
        count += deleted
    return count


def test_bodies_go_and_their_rows_stay(scene: Scene) -> None:
    finished(scene)
    assert [wipe(scene, part) for part in Part] == [1, 1, 0]
    version, output = scene.one(MessageVersion), scene.one(Dataclip)
    assert (version.body, version.wiped_at, version.size_bytes) == (None, scene.now_us, 7)
    assert (output.body, output.wiped_at) == (None, scene.now_us)
    assert [wipe(scene, part) for part in Part] == [0, 0, 0]
    with pytest.raises(BodyWiped):
        scene.do(StartWork(scene.start(), Origin(scene.project_id), Input(scene.one(Message).id)))


def test_only_what_is_old_enough_goes(scene: Scene) -> None:
    finished(scene)
    limit = scene.one(Message).id
    assert wipe(scene, Part.MESSAGES, limit) == 0
    assert wipe(scene, Part.MESSAGES, oldest_kept(limit.made_at_us + 1000)) == 1


def test_what_unfinished_work_needs_stays(scene: Scene) -> None:
    hand = begun(scene)
    (first,) = hand.runs()
    output = clip(scene, hand)
    follow = Follow(new_id(), new_id(), input_dataclip_id=output.id)
    scene.do(EndRun(hand.id, hand.number, first.id, first.job_id, ExitReason.SUCCESS, output=output, next=(follow,)))
    assert [wipe(scene, part) for part in Part] == [0, 0, 0]
    assert delete(scene) == 0
    assert scene.one(Dataclip).body


def test_what_has_a_name_or_is_pinned_stays(scene: Scene) -> None:
    def saved(**fields: object) -> Dataclip:
        return Dataclip(new_id(), scene.project_id, DataclipKind.SAVED_INPUT, None, None, Encoding.RAW, b"{}", None, 2, **fields)  # type: ignore[arg-type]

    connection = scene.database.connect()
    connection.begin()
    connection.write([saved(), saved(name="fixture"), saved(pinned_by=new_id())])
    connection.commit()
    connection.close()
    assert wipe(scene, Part.SAVED_INPUTS) == 1
    assert [kept.body for kept in scene.rows(Dataclip, "WHERE wiped_at IS NULL")] == [b"{}", b"{}"]


def test_history_is_deleted_with_all_that_belongs_to_it(scene: Scene) -> None:
    for _ in range(3):
        finished(scene)
    unfinished = begun(scene)
    assert delete(scene) > 0
    assert [attempt.id for attempt in scene.rows(Attempt)] == [unfinished.id]
    assert [len(scene.rows(row)) for row in (Message, MessageVersion, WorkOrder, Run, JobState, StartGuard)] == [1] * 6  # type: ignore[arg-type]
    assert [scene.rows(LogLine), scene.rows(Dataclip)] == [[], []]


def test_a_message_that_newer_work_uses_stays_and_its_job_states_are_right(scene: Scene) -> None:
    hand = finished(scene)
    message = scene.one(Message).id
    scene.after(10)
    newer = StartWork(scene.start(cause=Cause.RERUN), Origin(scene.project_id), Input(message))
    scene.do(newer)
    delete(scene, newer.start.work_order_id)
    assert scene.rows(Run, "WHERE attempt_id = ?", hand.id) == []
    assert scene.one(Message).id == message
    assert scene.job_states() == scene.calculated()


def test_other_projects_are_left_alone(scene: Scene) -> None:
    finished(scene)
    own, scene.project_id = scene.project_id, new_id()
    assert [delete(scene), wipe(scene, Part.MESSAGES), wipe(scene, Part.ATTEMPTS)] == [0, 0, 0]
    scene.project_id = own
    assert scene.one(MessageVersion).body


def test_long_logs_go_in_batches(scene: Scene) -> None:
    hand = finished(scene)
    connection = scene.database.connect()
    connection.begin()
    connection.write([LogLine(hand.id, seq, None, LogLevel.INFO, "JOB", 1, "x") for seq in range(2, BATCH * 25)])
    connection.commit()
    connection.close()
    deleted = []
    while count := scene.do(DeleteHistory(scene.project_id, EVERYTHING)):
        deleted.append(count)
    assert deleted[:3] == [BATCH * 10, BATCH * 10, BATCH * 5 - 1]
    assert scene.rows(LogLine) == []


def test_keys_and_guards_are_forgotten_after_their_time(scene: Scene) -> None:
    scene.do(scene.message([scene.start()], key=b"k"))
    assert scene.do(Forget(scene.now_us)) == 0
    scene.after(60)
    assert scene.do(Forget(scene.now_us)) == 2
    assert [scene.rows(OnceOnly), scene.rows(StartGuard)] == [[], []]


def test_large_bodies_are_told_so_that_their_files_can_be_deleted(scene: Scene) -> None:
    finished(scene)
    key = new_id()
    scene.reader.query("UPDATE message_version SET object_key = ?, body = NULL", key)
    wipe(scene, Part.MESSAGES)
    assert ("object_wiped", key) in [(change.kind, change.id) for change in scene.changes]


def test_sqlite_gives_the_disk_back(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path / "kivuko.db")
    connection = database.connect()
    apply_schema(connection)
    scene = Scene(database)
    futures = [scene.writer.submit(scene.message(body=os.urandom(9000))) for _ in range(300)]
    for future in futures:
        future.result(20)
    before = connection.query("PRAGMA page_count")[0][0]
    wipe(scene, Part.MESSAGES)
    while scene.do(Vacuum()):
        pass
    assert connection.query("PRAGMA page_count")[0][0] < before / 2
    connection.close()
    scene.close()


# Zero persistence


class Erasing(NoRules):
    def erases(self, project_id: Id) -> bool:
        return True


@pytest.fixture
def forgetful(database: Database) -> Iterator[Scene]:
    opened = Scene(database, Erasing())
    yield opened
    opened.close()


def test_an_input_goes_with_the_last_attempt_that_needs_it(forgetful: Scene) -> None:
    scene = forgetful
    scene.accept(scene.start(), scene.start())
    first, second = claim(scene), claim(scene)
    first.end(first.runs()[0].id)
    first.finish()
    assert scene.one(MessageVersion).body
    second.die()
    assert scene.one(MessageVersion).body
    second = claim(scene)
    second.end(second.runs()[0].id)
    second.finish()
    assert (scene.one(MessageVersion).body, scene.one(MessageVersion).wiped_at) == (None, scene.now_us)


def test_the_input_of_what_follows_goes_when_that_ends(forgetful: Scene) -> None:
    scene = forgetful
    hand = begun(scene)
    (first,) = hand.runs()
    output = clip(scene, hand)
    follow = Follow(new_id(), new_id(), input=output)
    ended = scene.do(EndRun(hand.id, hand.number, first.id, first.job_id, ExitReason.SUCCESS, next=(follow,)))
    hand.die()
    assert scene.one(Dataclip).body
    retry = claim(scene)
    assert scene.get(Run, ended.next_ids[0]).input_dataclip_id == retry.runs()[0].input_dataclip_id == output.id
    retry.end(retry.runs()[0].id)
    retry.finish()
    assert scene.one(Dataclip).body is None
    assert scene.one(MessageVersion).body is None


def test_others_keep_what_they_have(scene: Scene) -> None:
    finished(scene)
    assert scene.one(MessageVersion).body
    assert scene.now_us > SECOND


def test_no_copy_of_a_wiped_body_stays_in_sqlites_files(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path / "kivuko.db")
    connection = database.connect()
    apply_schema(connection)
    connection.close()
    scene = Scene(database, Erasing())

    def files_hold(canary: bytes) -> bool:
        return any(canary in path.read_bytes() for path in tmp_path.iterdir())

    for size in (10, 900):
        canary = os.urandom(12).hex().encode() * 2
        for _ in range(40):
            scene.do(scene.message([scene.start(), scene.start()], body=b'"' + canary + b"x" * size + b'"'))
        assert files_hold(canary)
        for _ in range(80):
            hand = claim(scene)
            hand.end(hand.runs()[0].id)
            hand.finish()
        assert {version.body for version in scene.rows(MessageVersion)} == {None}
        assert not files_hold(canary)
    scene.close()
