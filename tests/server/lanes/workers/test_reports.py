"""What workers report, also when it is late, repeated, missing or nonsense; secrets; projects that keep nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from kivuko.platform.workflows.document import WorkflowDocument
from kivuko.records import AttemptState, Cause, ExitReason, Id, LogLevel, NoRules, RunEnd, Start, Started, WorkflowEnd, new_id, new_start
from kivuko.records.database import Database
from kivuko.records.rows import Dataclip, Message, MessageVersion
from server.lanes.workers.worlds import GOOD, Speaker, World, chain

STEP = "3f4d5363-bfe9-4f12-ac9c-8afc3b321e28"


class Scene:
    """An Attempt in a worker's hands."""

    def __init__(self, world: World, document: WorkflowDocument | None = None, *, foreign: bool = False) -> None:
        self.world = world
        self.document = document or chain("One", "Two")
        self.started: Started = world.send(self.document)
        self.worker: Speaker = world.worker(str(new_id()), foreign=foreign)
        (self.run,) = self.worker.claim()
        self.worker.join(self.run)
        self.topic = f"run:{self.run['id']}"

    @property
    def step(self) -> dict[str, Any]:
        """The first job, as our worker names its Run and as OpenFn's does."""
        name = STEP if self.worker.foreign else str(self.started.run_ids[0])
        return {"step_id": name, "job_id": str(self.document.jobs[0].id)}

    def do(self, event: str, payload: Mapping[str, object] | None = None) -> Any:
        """Reports something that goes well."""
        return self.worker.do(self.topic, event, payload)

    def refused(self, event: str, payload: Mapping[str, object] | None = None) -> Any:
        """Reports something that is refused."""
        reply = self.worker.say(self.topic, event, payload)
        assert reply.status == "error"
        return reply.response

    def lines(self) -> list[tuple[str, str]]:
        """Level and text of the log."""
        return [(line.level.name, line.message) for line in self.world.lines(self.started.attempt_id)]


# Late, repeated, missing


@pytest.mark.parametrize("foreign", [True, False], ids=["openfn", "ours"])
def test_everything_may_be_said_twice(any_world: World, foreign: bool) -> None:
    scene = Scene(any_world, foreign=foreign)
    first, second = scene.document.jobs
    follows = [{"job_id": str(second.id), "cause": "edge", "input_dataclip_id": "o"}]
    ended = {**scene.step, "reason": "success", "output_dataclip": b"1", "output_dataclip_id": "o", "next": [] if foreign else follows}
    for _ in range(2):
        scene.do("run:start", {"next": [{"job_id": str(first.id)}]})
    for _ in range(2):
        scene.do("step:start", scene.step)
    answers = [scene.do("step:complete", ended) for _ in range(2)]
    assert answers[0] == answers[1]
    assert scene.do("run:complete", {"reason": "success"}) == scene.do("run:complete", {"reason": "fail"})
    runs = any_world.runs(scene.started.attempt_id)
    assert len(runs) == (1 if foreign else 2)
    assert any_world.attempt(scene.started.attempt_id).state is AttemptState.SUCCESS


def test_the_last_run_and_its_attempt_may_end_in_one_report(any_world: World) -> None:
    scene = Scene(any_world, chain("One"))
    scene.do("step:start", scene.step)
    told = {**scene.step, "reason": "success", "output_dataclip": b"1", "output_dataclip_id": "o", "next": []}
    for _ in range(2):
        answer = scene.do("step:complete", {**told, "end": {"reason": "success", "final_dataclip_id": "o", "executed_ms": 9}})
        assert answer == {"step_id": scene.step["step_id"], "run_ids": [], "state": "success"}
    attempt = any_world.attempt(scene.started.attempt_id)
    assert (attempt.state, attempt.executed_ms, any_world.clip(attempt.final_dataclip_id)) == (AttemptState.SUCCESS, 9, b"1")
    assert scene.refused("fetch:plan") == {"reason": "unauthorized"}


def test_openfns_worker_knows_no_such_end(any_world: World) -> None:
    scene = Scene(any_world, foreign=True)
    assert scene.do("step:complete", {**scene.step, "reason": "success", "end": {"reason": "success"}}) == {"step_id": STEP}
    assert any_world.attempt(scene.started.attempt_id).state is AttemptState.STARTED


def test_an_end_without_a_beginning_counts(any_world: World) -> None:
    # R2, R4.
    scene = Scene(any_world, foreign=True)
    scene.do("step:complete", {**scene.step, "reason": "fail", "error_type": "JobError", "error_message": "boom"})
    scene.do("run:complete", {"reason": "fail", "error_type": "JobError"})
    (run,) = any_world.runs(scene.started.attempt_id)
    assert (run.id, run.wire_id, run.exit_reason) == (scene.started.run_ids[0], STEP, ExitReason.FAIL)


def test_lines_of_an_unknown_step_are_kept_on_the_attempt(any_world: World) -> None:
    # R3.
    scene = Scene(any_world, foreign=True)
    assert scene.do("run:batch_logs", {"logs": [{"message": ["a"], "step_id": STEP}, {"message": "b"}]}) == {}
    assert [(line.message, line.run_id) for line in any_world.lines(scene.started.attempt_id)] == [("a", None), ("b", None)]


def test_lines_of_a_step_that_began_on_another_connection_are_its_own(any_world: World) -> None:
    scene = Scene(any_world, foreign=True)
    scene.do("step:start", scene.step)
    scene.worker.join(scene.run, "99")
    scene.do("run:log", {"message": ["a"], "step_id": STEP})
    (line,) = any_world.lines(scene.started.attempt_id)
    assert line.run_id == scene.started.run_ids[0]


@pytest.mark.parametrize(
    ("given", "stored"), [("1795254860529139", 1795254860529139), (5, 5), (5.0, 5), ("x", None), (-1, None), (None, None)]
)
def test_times_may_be_texts_numbers_or_missing(world: World, given: object, stored: int | None) -> None:
    # R8.
    scene = Scene(world, foreign=True)
    scene.do("step:complete", {**scene.step, "reason": "success", "timestamp": given})
    scene.do("run:log", {"message": "a", "timestamp": given})
    (run,), (line,) = world.runs(scene.started.attempt_id), world.lines(scene.started.attempt_id)
    assert run.reported_finished_at == stored
    assert line.at_us == stored if stored is not None else line.at_us > 1_700_000_000_000_000


def test_a_reason_that_nobody_knows_is_an_exception(any_world: World) -> None:
    scene = Scene(any_world, foreign=True)
    scene.do("step:complete", {**scene.step, "reason": "explode"})
    scene.do("run:complete", {"reason": "lost"})
    attempt = any_world.attempt(scene.started.attempt_id)
    assert (attempt.state, attempt.error_type) == (AttemptState.EXCEPTION, "UnknownReason")
    assert any_world.runs(attempt.id)[0].exit_code == 11


def test_reports_with_an_old_claim_number_are_refused(any_world: World) -> None:
    scene = Scene(any_world)
    scene.do("run:hand_back")
    other = any_world.worker("other")
    other.take()
    for event in ("run:start", "step:start", "step:complete", "run:complete"):
        assert scene.refused(event, {**scene.step, "reason": "success"}) == {"reason": "stale_claim"}
    assert scene.refused("run:batch_logs", {"logs": [{"seq": 1, "message": "a"}]}) == {"reason": "stale_claim"}


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        ("step:start", {}),
        ("step:start", {"step_id": "x", "job_id": "x"}),
        ("step:start", {"step_id": STEP, "job_id": str(new_id())}),
        ("step:complete", {"step_id": STEP, "job_id": 5, "reason": "success"}),
        ("step:complete", {"job_id": str(new_id())}),
        ("run:start", {"next": [{"job_id": "x"}]}),
        ("fetch:credential", {"id": "x"}),
        ("fetch:credential", {"id": str(new_id())}),
        ("fetch:dataclip", {"run_id": str(new_id())}),
        ("run:dance", {}),
    ],
)
def test_nonsense_is_answered_and_changes_nothing(world: World, event: str, payload: dict[str, object]) -> None:
    scene = Scene(world)
    assert scene.refused(event, payload)
    assert world.attempt(scene.started.attempt_id).state is AttemptState.CLAIMED
    scene.do("run:complete", {"reason": "success"})


@pytest.mark.parametrize("logs", [None, "x", 5, [], ["x", 5, None], [{}]], ids=repr)
def test_a_batch_of_nothing_is_fine(world: World, logs: object) -> None:
    assert Scene(world).do("run:batch_logs", {"logs": logs}) == {}


# The log


def test_our_workers_lines_bear_its_numbers_and_a_batch_may_come_twice(any_world: World) -> None:
    scene = Scene(any_world)
    batch = [{"seq": 1, "message": "a", "level": "warn"}, {"seq": 2, "message": "b"}]
    for logs in (batch, batch, [{"seq": 3, "message": "c"}, {"seq": 7, "message": "g"}]):
        scene.do("run:batch_logs", {"logs": logs})
    lines = any_world.lines(scene.started.attempt_id)
    assert [(line.seq, line.message) for line in lines] == [(1, "a"), (2, "b"), (3, "c"), (7, "g")]
    assert lines[0].level is LogLevel.WARN
    scene.do("run:hand_back")
    again = any_world.worker("again")
    (run,) = again.claim()
    assert again.join(run) == {"first_seq": 8}


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("plain", "plain"),
        (["a", "b"], "a b"),
        ([{"a": 1}, [2], None, "t"], '{"a":1} [2] null t'),
        ([], ""),
        (None, "null"),
        ("nul\0 and \ud800", "nul\ufffd and \ufffd\ufffd\ufffd"),
        ([1.5, True], "1.5 true"),
    ],
)
def test_a_line_may_be_anything(any_world: World, message: object, text: str) -> None:
    scene = Scene(any_world, foreign=True)
    scene.do("run:log", {"message": message, "level": "fancy", "source": "far too long a source"})
    (line,) = any_world.lines(scene.started.attempt_id)
    assert (line.message, line.level, line.source) == (text, LogLevel.INFO, "far too ")


def test_secrets_are_taken_out_again(any_world: World) -> None:
    document = chain("One")
    document = replace(document, jobs=tuple(replace(job, credential_id=GOOD) for job in document.jobs))
    for foreign in (True, False):
        scene = Scene(any_world, document, foreign=foreign)
        scene.do("run:batch_logs", {"logs": [{"seq": 1, "message": "is s3cret, czNjcmV0"}, {"seq": 2, "message": ["u", {"p": "s3cret"}]}]})
        told = {"reason": "fail", "error_type": "JobError", "error_message": "s3cret was wrong"}
        scene.do("step:complete", {**scene.step, **told})
        assert [text for _, text in scene.lines()] == ["is ****, ****", 'u {"p":"****"}']
        (run,) = any_world.runs(scene.started.attempt_id)
        assert b"s3cret" not in (run.error or b"")
        scene.do("run:complete", {"reason": "fail"})


# Plan


def test_a_job_that_is_off_is_not_reached_by_an_edge(world: World) -> None:
    document = chain("One", "Two")
    off = replace(document.jobs[1], enabled=False)
    plan = Scene(world, replace(document, jobs=(document.jobs[0], off))).do("fetch:plan")
    assert [edge["enabled"] for edge in plan["edges"]] == [True, False]


def test_our_worker_is_told_more_than_openfns(world: World) -> None:
    policy = {"max_tries": 3, "backoff_ms": 1, "factor": 2, "jitter": False, "max_backoff_ms": 5}
    document = chain("One")
    document = replace(document, jobs=(replace(document.jobs[0], retry=policy, timeout_ms=5, memory_mb=64),))
    ours, foreign = Scene(world, document).do("fetch:plan"), Scene(world, document, foreign=True).do("fetch:plan")
    ((job),) = ours["jobs"]
    assert {"language": "javascript", "retry": policy, "timeout_ms": 5, "memory_mb": 64}.items() <= job.items()
    assert set(foreign["jobs"][0]) == {"id", "name", "adaptor", "credential_id", "body"}
    assert set(foreign) < set(ours)


def test_what_a_person_starts_is_not_retried(world: World) -> None:
    policy = {"max_tries": 3}
    document = chain("One")
    document = replace(document, jobs=(replace(document.jobs[0], retry=policy),))
    world.begin(document, cause=Cause.MANUAL)
    worker = world.worker()
    assert worker.do(worker.take(), "fetch:plan")["jobs"][0]["retry"] is None


def test_the_credentials_of_other_workflows_are_not_given_out(world: World) -> None:
    scene = Scene(world)
    assert scene.refused("fetch:credential", {"id": str(GOOD)}) == {"errors": {"id": ["Credential not found!"]}}


def test_a_conditional_start_is_made_when_it_is_told(any_world: World) -> None:
    document = chain("One")
    edge = replace(document.edges[0], condition_type="js_expression", condition_expression="state.data.a == 1")
    scene = Scene(any_world, replace(document, edges=(edge,)))
    assert scene.started.run_ids == ()
    plan = scene.do("fetch:plan")
    assert (plan["edges"][0]["condition"], plan["queued"]) == ("state.data.a == 1", [])
    (run_id,) = scene.do("run:start", {"next": [{"job_id": str(document.jobs[0].id)}]})["run_ids"]
    (run,) = any_world.runs(scene.started.attempt_id)
    assert (str(run.id), run.cause, run.message_version) == (run_id, Cause.MESSAGE, 1)


# Projects that keep nothing


class Erasing(NoRules):
    """Every project keeps nothing. ``follows`` is started when the job ends well."""

    def __init__(self) -> None:
        self.follows: dict[Id, WorkflowDocument] = {}
        self.snapshots: dict[Id, Id] = {}

    def erases(self, project_id: Id) -> bool:
        """Always."""
        return True

    def followers(self, end: RunEnd | WorkflowEnd) -> Sequence[Start]:
        """What follows a job."""
        document = self.follows.get(end.job_id) if isinstance(end, RunEnd) else None
        if document is None or not end.succeeded:
            return ()
        trigger, job = document.triggers[0], document.jobs[0]
        start = new_start(document.id, self.snapshots[document.id], trigger.id, Cause.SUCCESS, [job.id], trigger_id=trigger.id)
        return (start,)


CANARY = "canary-5f1d"


def bodies(world: World) -> list[bytes]:
    """All bodies that are stored."""
    versions, clips = world.rows(MessageVersion), world.rows(Dataclip)
    return [row.body for row in (*versions, *clips) if row.body is not None]


@pytest.mark.parametrize("foreign", [True, False], ids=["openfn", "ours"])
def test_a_project_that_erases_all_keeps_no_body(database: Database, foreign: bool) -> None:
    with World(database, Erasing()) as world:
        world.shelf.forgets = True
        scene = Scene(world, chain("One"), foreign=foreign)
        assert scene.do("fetch:plan")["options"]["output_dataclips"] is False
        assert scene.do("fetch:dataclip")
        scene.do("run:start", {"next": [{"job_id": str(scene.document.jobs[0].id)}]})
        scene.do("step:start", scene.step)
        # It sends what it was asked not to send (scenario 11).
        output = json.dumps({"data": CANARY}).encode()
        scene.do("step:complete", {**scene.step, "reason": "success", "output_dataclip": output, "output_dataclip_id": "o"})
        assert not any(CANARY.encode() in body for body in bodies(world))
        scene.do("run:complete", {"reason": "success", "final_state": {"data": CANARY}})
        attempt = world.attempt(scene.started.attempt_id)
        assert (attempt.state, attempt.final_dataclip_id) == (AttemptState.SUCCESS, None)
        assert bodies(world) == []
        assert len(world.rows(Message)) == 1


@pytest.mark.parametrize("foreign", [True, False], ids=["openfn", "ours"])
def test_what_a_trigger_hands_on_is_kept_until_nobody_needs_it(database: Database, foreign: bool) -> None:
    rules, after = Erasing(), chain("After")
    with World(database, rules) as world:
        world.shelf.forgets = True
        document = chain("One")
        after = replace(after, project_id=document.project_id)
        rules.follows[document.jobs[0].id] = after
        rules.snapshots[after.id] = world.keep(after)
        world.shelf.kept.add(document.jobs[0].id)
        scene = Scene(world, document, foreign=foreign)
        assert scene.do("fetch:plan")["options"]["output_dataclips"] is True
        scene.do("run:start", {"next": [{"job_id": str(document.jobs[0].id)}]})
        scene.do("step:start", scene.step)
        scene.do("step:complete", {**scene.step, "reason": "success", "output_dataclip": b'{"n":1}', "output_dataclip_id": "o"})
        scene.do("run:complete", {"reason": "success", "final_dataclip_id": "o"})
        topic = scene.worker.take()
        assert scene.worker.do(topic, "fetch:dataclip") == b'{"n":1}'
        scene.worker.do(topic, "run:start")
        scene.worker.do(topic, "run:complete", {"reason": "success"})
        assert bodies(world) == []


def test_inputs_of_what_follows_are_kept_while_they_are_needed(database: Database) -> None:
    with World(database, Erasing()) as world:
        world.shelf.forgets = True
        scene = Scene(world)
        first, second = scene.document.jobs
        scene.do("run:start", {"next": [{"job_id": str(first.id)}]})
        follows = [{"job_id": str(second.id), "cause": "edge", "input_dataclip": b'{"n":1}'}]
        scene.do("step:complete", {**scene.step, "reason": "success", "next": follows})
        run = world.runs(scene.started.attempt_id)[1]
        assert world.clip(run.input_dataclip_id) == b'{"n":1}'
        scene.do("run:complete", {"reason": "success"})
        assert bodies(world) == []
