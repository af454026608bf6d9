"""Lists for people, on both databases: filters, pages, counts, what a page needs beside its rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from kivuko.records.database import Connection, Database
from kivuko.records.exitcodes import BY_ERROR_ONLY, exit_code
from kivuko.records.ids import Id, new_id
from kivuko.records.listing import Conditions, Slice, first_id_at
from kivuko.records.listing_logs import LogQuery, list_log, summary_of
from kivuko.records.listing_messages import MessageQuery, count_messages, job_states_of, list_messages, newest_bodies, versions_of
from kivuko.records.listing_runs import (
    RunQuery,
    WorkOrderQuery,
    _of_orders,
    _of_runs,
    attempts_by_id,
    count_runs,
    count_work_orders,
    list_runs,
    list_work_orders,
    read_run,
    run_state,
)
from kivuko.records.listing_workers import WorkerPlace, count_workers, list_workers
from kivuko.records.logs import Line, WriteLogs
from kivuko.records.naming import NameDataclip
from kivuko.records.rows import Dataclip, Run, WorkOrder
from kivuko.records.schema import apply_schema
from kivuko.records.sqlite import SqliteDatabase
from kivuko.records.states import AttemptState, Cause, ExitReason, JobResult, LogLevel, WorkOrderState
from records.scenes import SECOND, Scene
from records.workers import begun, claim, clip

ALL = Slice(100)


def ended(scene: Scene, reason: ExitReason, *jobs: Id) -> Id:
    """A message whose Runs ended so; its id."""
    accepted = scene.accept(scene.start(*jobs))
    hand = claim(scene)
    hand.start()
    for run in hand.runs():
        hand.begin(run.id)
        hand.end(run.id, reason=reason, error_type=None if reason is ExitReason.SUCCESS else "JobError")
    hand.finish(reason)
    return accepted.message_id


def test_messages_are_found_by_their_job_states(scene: Scene) -> None:
    job, other = new_id(), new_id()
    good, bad = ended(scene, ExitReason.SUCCESS, job, other), ended(scene, ExitReason.FAIL, job)
    waits = scene.accept(scene.start(job)).message_id

    def found(part: Slice = ALL, **asked: object) -> list[Id]:
        return [message.id for message in list_messages(scene.reader, MessageQuery(scene.project_id, **asked), part)]  # type: ignore[arg-type]

    assert found() == [waits, bad, good]
    assert found(job_states={JobResult.FAILURE}) == [bad]
    assert found(job_states={JobResult.SUCCESS, JobResult.IN_PROGRESS}) == [waits, good]
    assert found(job_states={JobResult.SUCCESS}, job_ids=[other]) == [good]
    assert found(job_states={JobResult.FAILURE}, job_ids=[other]) == found(job_states=set()) == []
    assert found(job_ids=[other]) == [good]
    assert found(Slice(1), job_states=set(JobResult)) == [waits]
    assert found(Slice(1, waits), job_states=set(JobResult)) == [bad]
    assert found(Slice(2, waits)) == [bad, good]
    assert found(ids=[good, waits]) == [waits, good]
    assert found(inbox_ids=[scene.inbox_id], job_states={JobResult.FAILURE}) == [bad]
    assert found(inbox_ids=[]) == found(trigger_ids=[new_id()]) == []
    assert list_messages(scene.reader, MessageQuery(new_id()), ALL) == []


def test_counts_stop_at_their_bound(scene: Scene) -> None:
    for _ in range(3):
        scene.accept(scene.start())
    assert [count_messages(scene.reader, MessageQuery(scene.project_id), most) for most in (2, 10)] == [2, 3]
    assert [count_runs(scene.reader, RunQuery(scene.project_id), most) for most in (2, 10)] == [2, 3]
    assert [count_work_orders(scene.reader, WorkOrderQuery(scene.project_id), most) for most in (2, 10)] == [2, 3]


def test_job_states_come_with_the_numbers_of_their_runs(scene: Scene) -> None:
    first, second = new_id(), new_id()
    message = ended(scene, ExitReason.SUCCESS, first, second)
    states = job_states_of(scene.reader, [message])[message]
    assert [(state.job_id, state.run_number, state.state) for state in states] == [
        (first, 1, JobResult.SUCCESS),
        (second, 2, JobResult.SUCCESS),
    ]
    assert job_states_of(scene.reader, []) == {}


def test_versions_are_told_without_their_bodies_and_the_newest_with(scene: Scene) -> None:
    message = scene.accept().message_id
    (entry,) = versions_of(scene.reader, message)
    assert (entry.version, entry.size_bytes, entry.wiped_at) == (1, 7, None)
    (listed,) = list_messages(scene.reader, MessageQuery(scene.project_id), ALL)
    assert newest_bodies(scene.reader, [listed])[message].body == b'{"a":1}'
    assert newest_bodies(scene.reader, []) == {}


@pytest.mark.parametrize(
    ("reason", "state"),
    [
        (ExitReason.SUCCESS, AttemptState.SUCCESS), (ExitReason.FAIL, AttemptState.FAILED), (ExitReason.CRASH, AttemptState.CRASHED),
        (ExitReason.CANCEL, AttemptState.CANCELLED), (ExitReason.KILL, AttemptState.KILLED), (ExitReason.EXCEPTION, AttemptState.EXCEPTION),
    ],
)  # fmt: skip
def test_the_state_of_a_run_is_found_as_it_is_shown(scene: Scene, reason: ExitReason, state: AttemptState) -> None:
    hand = begun(scene, new_id())
    (run,) = hand.runs()

    def states() -> list[AttemptState]:
        (row,) = list_runs(scene.reader, RunQuery(scene.project_id), ALL)
        shown = run_state(row, attempts_by_id(scene.reader, [row.attempt_id])[row.attempt_id])
        assert [each for each in AttemptState if list_runs(scene.reader, RunQuery(scene.project_id, states={each}), ALL)] == [shown]
        return [shown]

    seen = states()
    hand.begin(run.id)
    seen += states()
    hand.end(run.id, reason=reason)
    assert [*seen, *states()] == [AttemptState.QUEUED, AttemptState.STARTED, state]


def test_a_run_waits_as_its_attempt_does(scene: Scene) -> None:
    scene.accept(scene.start())
    for state in (AttemptState.QUEUED, AttemptState.CLAIMED):
        (row,) = list_runs(scene.reader, RunQuery(scene.project_id, states={state}), ALL)
        assert run_state(row, attempts_by_id(scene.reader, [row.attempt_id])[row.attempt_id]) is state
        if state is AttemptState.QUEUED:
            claim(scene)


def test_runs_and_work_orders_are_found_by_every_filter(scene: Scene) -> None:
    job, workflow = new_id(), new_id()
    message = ended(scene, ExitReason.FAIL, job)
    scene.after(60)
    scene.accept(scene.start(workflow_id=workflow, cause=Cause.WEBHOOK))
    (newer, older) = list_runs(scene.reader, RunQuery(scene.project_id), ALL)
    orders = list_work_orders(scene.reader, WorkOrderQuery(scene.project_id), ALL)

    def runs(**asked: object) -> list[Run]:
        return list_runs(scene.reader, RunQuery(scene.project_id, **asked), ALL)  # type: ignore[arg-type]

    assert runs(job_ids=[job]) == runs(message_ids=[message]) == runs(attempt_ids=[older.attempt_id]) == runs(ids=[older.id]) == [older]
    assert runs(exit_codes=[1]) == runs(error_names=["JobError"]) == runs(causes=[Cause.MESSAGE]) == [older]
    assert runs(workflow_ids=[workflow]) == runs(causes=[Cause.WEBHOOK]) == [newer]
    assert older.started_at is not None
    assert runs(started_after=older.started_at, started_before=older.started_at + 1) == [older]
    assert runs(finished_after=scene.now_us) == runs(started_before=older.started_at) == []
    assert read_run(scene.reader, older.id) == older
    assert read_run(scene.reader, new_id()) is None

    def order(**asked: object) -> list[int]:
        found = list_work_orders(scene.reader, WorkOrderQuery(scene.project_id, **asked), ALL)  # type: ignore[arg-type]
        return [orders.index(each) for each in found]

    assert order(workflow_ids=[workflow]) == order(states={WorkOrderState.PENDING}) == order(causes={Cause.WEBHOOK}) == [0]
    assert order(message_ids=[message]) == order(states={WorkOrderState.FAILED}) == [1]
    assert order(last_activity_after=scene.now_us) == [0]
    assert order(last_activity_before=scene.now_us) == [1]
    assert order(trigger_ids=[]) == []
    assert order(inserted_after=0, inserted_before=2**60) == [0, 1]


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        ({}, "run_of_project"),
        ({"message_ids": [Id(bytes(16))]}, "run_of_pair"),
        ({"attempt_ids": [Id(bytes(16))]}, "run_of_attempt"),
        ({"job_ids": [Id(bytes(16))]}, "run_of_job"),
    ],
)
def test_a_few_runs_are_not_looked_for_in_the_whole_history(tmp_path: Path, asked: dict[str, list[Id]], index: str) -> None:
    database = SqliteDatabase(tmp_path / "kivuko.db")
    connection = database.connect()
    apply_schema(connection)
    conditions = _of_runs(RunQuery(Id(bytes(16)), **asked), Id(b"\xff" * 16))  # type: ignore[arg-type]
    plan = connection.query(f"EXPLAIN QUERY PLAN SELECT * FROM run WHERE {conditions.where} ORDER BY id DESC LIMIT 50", *conditions.values)
    assert f"INDEX {index} " in str(plan[0][3])
    connection.close()


INSERT_RUNS = {
    "sqlite": """WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) INSERT INTO run ({columns})
        SELECT randomblob(16), ?, randomblob(16), randomblob(16), randomblob(16), 1, 1, 0, 0,
        CASE WHEN i % 500 = 0 THEN 134 WHEN i % 500 = 1 THEN 5 ELSE 0 END, CASE WHEN i % 500 = 0 THEN 'OOMError' END FROM n RETURNING 1""",
    "postgresql": """INSERT INTO run ({columns})
        SELECT gen_random_uuid(), ?, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 1, 1, 0, 0,
        CASE WHEN mod(i, 500) = 0 THEN 134 WHEN mod(i, 500) = 1 THEN 5 ELSE 0 END, CASE WHEN mod(i, 500) = 0 THEN 'OOMError' END
        FROM generate_series(1, 3000) AS i RETURNING 1""",
}
COLUMNS = "id, project_id, attempt_id, job_id, snapshot_id, cause, queued_at, tries, exit_reason, exit_code, error_type"


def explained(connection: Connection, table: str, conditions: Conditions) -> str:
    """How the database would look for a page."""
    word = "EXPLAIN QUERY PLAN" if connection.dialect == "sqlite" else "EXPLAIN"
    text = f"{word} SELECT * FROM {table} WHERE {conditions.where} ORDER BY {table}.id DESC LIMIT 50"
    return str([row[-1] for row in connection.query(text, *conditions.values)])


@pytest.mark.parametrize(
    ("asked", "on_sqlite", "on_postgresql"),
    [
        ({"error_names": ["OOMError"]}, "run_with_error", "run_with_error"),
        ({"error_names": ["OOMError", "JobError"]}, "INDEX run_", "run_with_error"),
        ({"exit_codes": [134]}, "run_by_exit_code", "run_with_error"),
        ({"exit_codes": [134, 2]}, "INDEX run_", "run_with_error"),
        ({"exit_codes": [5]}, "run_by_exit_code", ""),
        ({"exit_codes": [0]}, "run_of_project", ""),
        ({"exit_codes": [0, 134]}, "run_of_project", ""),
    ],
    ids=["error", "errors", "code", "codes", "code of a reason", "success", "success and code"],
)
def test_what_failed_is_not_looked_for_among_all_that_succeeded(
    database: Database, asked: dict[str, list[int]], on_sqlite: str, on_postgresql: str
) -> None:
    connection, project = database.connect(), new_id()
    try:
        connection.begin()
        connection.query(INSERT_RUNS[connection.dialect].format(columns=COLUMNS), project)
        if connection.dialect == "postgresql":
            connection.query("ANALYZE run")
        plan = explained(connection, "run", _of_runs(RunQuery(project, **asked), Id(b"\xff" * 16)))  # type: ignore[arg-type]
        assert (on_sqlite if connection.dialect == "sqlite" else on_postgresql) in plan
        assert len(list_runs(connection, RunQuery(project, **asked), Slice(5000))) == expected(asked)  # type: ignore[arg-type]
    finally:
        connection.rollback()
        connection.close()


def expected(asked: dict[str, list[int]]) -> int:
    """How many of the Runs above are meant."""
    counts = {134: 6, 5: 6, 0: 2988, 2: 0}
    return sum(counts[code] for code in asked["exit_codes"]) if "exit_codes" in asked else 6


@pytest.mark.parametrize("reason", ExitReason)
@pytest.mark.parametrize("error", [None, "TypeError"])
def test_a_code_that_only_errors_have_comes_from_no_reason(reason: ExitReason, error: str | None) -> None:
    assert exit_code(reason, error) not in BY_ERROR_ONLY
    assert {2, 3, 10, 11, 134} == BY_ERROR_ONLY


def test_work_orders_of_a_trigger_are_found_by_its_workflow(database: Database) -> None:
    connection, project, busy, quiet = database.connect(), new_id(), new_id(), new_id()
    rows = [
        WorkOrder(new_id(), project, busy if n % 500 else quiet, new_id(), Cause.MESSAGE, WorkOrderState.SUCCESS, n, trigger_id=new_id())
        for n in range(3000)
    ]
    try:
        connection.begin()
        connection.write(rows)
        if connection.dialect == "postgresql":
            connection.query("ANALYZE work_order")
        asked = WorkOrderQuery(project, workflow_ids=[quiet], trigger_ids=[rows[0].trigger_id])  # type: ignore[list-item]
        assert "work_order_of_workflow" in explained(connection, "work_order", _of_orders(asked, None))
        assert [order.id for order in list_work_orders(connection, asked, ALL)] == [rows[0].id]
    finally:
        connection.rollback()
        connection.close()


def test_a_time_as_a_bound_of_keys_cuts_between_microseconds() -> None:
    for _ in range(200):
        key = new_id()
        below, above = first_id_at(key.made_at_us), first_id_at(key.made_at_us + 1)
        assert below is not None
        assert above is not None
        assert below <= key < above
        assert below.made_at_us == key.made_at_us
    assert first_id_at(None) is None


def test_log_lines_are_filtered(scene: Scene) -> None:
    hand = begun(scene, new_id())
    (run,) = hand.runs()
    lines = (
        Line("100 % done", 1, LogLevel.INFO, "JOB", run.id),
        Line("Wrong_turn", 2, LogLevel.ERROR, "R/T", None),
        Line("wrongXturn", 3, LogLevel.WARN, "JOB", run.id),
    )
    scene.do(WriteLogs(hand.id, hand.number, lines))

    def seqs(**asked: object) -> list[int]:
        return [line.seq for line in list_log(scene.reader, LogQuery(hand.id, **asked), 10)]  # type: ignore[arg-type]

    assert (seqs(), seqs(after_seq=1), seqs(run_ids=[run.id]), seqs(sources=["R/T"])) == ([1, 2, 3], [2, 3], [1, 3], [2])
    assert (seqs(levels={LogLevel.ERROR, LogLevel.WARN}), seqs(text="wrong_"), seqs(text="%"), seqs(text="\\")) == ([2, 3], [2], [1], [])
    assert [line.seq for line in list_log(scene.reader, LogQuery(hand.id), 2)] == [1, 2]


def test_a_summary_counts_what_ended_lately_and_all_that_is_unfinished(scene: Scene) -> None:
    # What the summary calls today is the database's clock's, which the scene does not move.
    scene.now_us = scene.reader.now_us()
    workflow = new_id()
    for reason in (ExitReason.SUCCESS, ExitReason.FAIL):
        scene.accept(scene.start(workflow_id=workflow))
        hand = claim(scene)
        hand.start()
        (run,) = hand.runs()
        hand.begin(run.id)
        hand.end(run.id, reason=reason)
        hand.finish(reason)
    waiting = scene.accept(scene.start(workflow_id=workflow)).started[0]
    found = summary_of(scene.reader, scene.project_id, 1)[workflow]
    assert found.states == {AttemptState.SUCCESS: 1, AttemptState.FAILED: 1, AttemptState.QUEUED: 1}
    assert found.oldest_waiting_at == waiting.attempt_id.made_at_us
    assert found.last_failure_id == hand.attempt.work_order_id
    assert summary_of(scene.reader, new_id(), 1) == {}


def test_workers_are_listed_the_last_seen_first(scene: Scene) -> None:
    for _ in range(3):
        scene.accept(scene.start())
    claim(scene)
    scene.now_us += SECOND
    claim(scene)
    scene.now_us += 90 * SECOND
    claim(scene)
    place = WorkerPlace(scene.now_us - 60 * SECOND, scene.now_us, Id(b"\xff" * 16))
    found = list_workers(scene.reader, place, 10)
    seen = [worker.last_seen_at for worker in found]
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == count_workers(scene.reader, 10) == 3
    assert count_workers(scene.reader, 2) == 2
    for at, worker in enumerate(found):
        assert list_workers(scene.reader, place.at(worker), 10) == found[at + 1 :]
        assert list_workers(scene.reader, place.at(worker), 1) == found[at + 1 : at + 2]


def test_a_dataclip_gets_a_name_and_loses_it(scene: Scene) -> None:
    hand = begun(scene, new_id())
    (run,) = hand.runs()
    hand.begin(run.id)
    output = clip(scene, hand)
    hand.end(run.id, output=output)
    scene.do(NameDataclip(output.id, "a case"))
    assert scene.get(Dataclip, output.id).name == "a case"
    scene.do(NameDataclip(output.id, None))
    assert scene.get(Dataclip, output.id).name is None
    with pytest.raises(Exception, match="does not exist"):
        scene.do(NameDataclip(new_id(), "x"))
