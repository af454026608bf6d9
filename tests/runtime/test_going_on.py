"""Attempts whose record somebody keeps: told before and after each job, gone on with from a frontier, tried again, parked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from kivuko.engines.run import RunError, RunRequest
from kivuko.errors import LinkDown
from kivuko.runtime import AttemptResult, CompileSettings, EndedVisit, Follow, JobLimits, Outside, Visit, execute, prepare
from kivuko.runtime.logs import LogRecord
from kivuko.value import replace
from kivuko.workflow import Job, read_plan

from .conftest import Desk, Hands, State, failure, job

NO = failure("no")


@dataclass
class Notes:
    """A recorder that keeps everything. ``delays`` are the pauses before further tries, ``waits`` whether each is waited for."""

    delays: list[int | None] = field(default_factory=list)
    waits: list[bool] = field(default_factory=list)
    told: list[tuple[object, ...]] = field(default_factory=list)
    ends: list[EndedVisit] = field(default_factory=list)
    numbers: int = 0

    def _tickets(self, follows: Sequence[Follow]) -> list[str]:
        first = self.numbers
        self.numbers += len(follows)
        return [f"{follow.node.id}#{first + at}" for at, follow in enumerate(follows)]

    def reached(self, first: Sequence[Follow]) -> Sequence[str]:
        self.told.append(("reached", *(follow.node.id for follow in first)))
        return self._tickets(first)

    def starting(self, visit: Visit) -> None:
        self.told.append(("starting", visit.ticket, visit.run))

    def ended(self, visit: EndedVisit) -> Sequence[str]:
        self.told.append(("ended", visit.ticket, *(follow.node.id for follow in visit.follows)))
        self.ends.append(visit)
        return self._tickets(visit.follows)

    def retry_in_ms(self, job: Job, error: RunError, tries: int) -> int | None:
        self.told.append(("failed", job.id, tries))
        return self.delays.pop(0) if self.delays else None

    def wait(self, duration_ms: int) -> bool:
        self.told.append(("wait", duration_ms))
        return self.waits.pop(0) if self.waits else True

    def log_of(self, run: int) -> str:
        return f"log of {run}"


def carry_out(
    desk: Desk, steps: Sequence[dict[str, object]], notes: Notes, state: object = None, frontier: Sequence[tuple[str, object, int]] = ()
) -> AttemptResult:
    """Executes steps, with a recorder, from the start or from (job, state, tries) of a frontier."""
    program = desk.prepare({"workflow": {"steps": list(steps)}})
    nodes = program.plan.workflow.by_id()
    visits = [Visit(nodes[name], json.dumps(given).encode(), f"{name}#f", tries) for name, given, tries in frontier]
    outside = Outside(on_log=desk.records.append, recorder=notes)
    written = json.dumps({} if state is None else state).encode()
    return execute(program, written, desk.engine, settings=desk.settings, outside=outside, frontier=visits)


def test_every_job_is_told_before_it_runs_and_after_it_ended(desk: Desk) -> None:
    notes = Notes()
    steps = [{"id": "t", "next": {"a": True, "b": True}}, job("a", {"c": True}), job("b"), job("c")]
    carry_out(desk, steps, notes)
    assert notes.told == [
        ("reached", "a", "b"),
        ("starting", "a#0", 0),
        ("ended", "a#0", "c"),
        ("starting", "b#1", 1),
        ("ended", "b#1"),
        ("starting", "c#2", 2),
        ("ended", "c#2"),
    ]
    assert [end.last for end in notes.ends] == [False, False, True]


def test_an_attempt_that_starts_with_a_job_reaches_that(desk: Desk) -> None:
    notes = Notes()
    carry_out(desk, [job("a")], notes)
    assert notes.told[0] == ("reached", "a")


def test_a_start_that_leads_nowhere_is_told_as_well(desk: Desk) -> None:
    notes = Notes()
    result = carry_out(desk, [{"id": "t", "next": {"a": False}}, job("a")], notes)
    assert (notes.told, result.reason) == ([("reached",)], "success")


def test_what_the_recorder_raises_ends_the_attempt_before_the_job_runs(desk: Desk) -> None:
    class Gone(Notes):
        def starting(self, visit: Visit) -> None:
            raise LinkDown

    with pytest.raises(LinkDown):
        carry_out(desk, [job("a")], Gone())
    assert (desk.order, desk.engine.ended) == ([], ["1"])


def test_it_goes_on_from_several_jobs_each_with_its_own_input(desk: Desk) -> None:
    notes = Notes()
    steps = [job("a", {"b": True, "c": True}), job("b", {"d": True}), job("c"), job("d")]
    result = carry_out(desk, steps, notes, frontier=[("b", {"n": 1}, 0), ("c", {"n": 2}, 0)])
    assert desk.order == ["b", "c", "d"]
    assert notes.told[:2] == [("starting", "b#f", 0), ("ended", "b#f", "d")]
    assert {name: json.loads(state) for name, state in result.leaves.items()} == {"c": {"n": 2, "data": {}}, "d": {"n": 1, "data": {}}}


def test_a_job_reached_twice_is_two_runs(desk: Desk) -> None:
    notes = Notes()
    carry_out(desk, [job("a"), job("b")], notes, frontier=[("b", {}, 0), ("b", {}, 0)])
    assert [told[2] for told in notes.told if told[0] == "starting"] == [0, 1]


def test_a_job_that_is_tried_again_is_one_run_and_comes_after_the_others(desk: Desk) -> None:
    notes = Notes(delays=[20, 30])
    hands = Hands()
    desk.settings = replace(desk.settings, clock=hands.clock)
    answers: list[object] = [NO, NO, {"ok": True}]
    desk.engine.jobs["a"] = lambda state, request: answers.pop(0)
    result = carry_out(desk, [{"id": "t", "next": {"a": True, "b": True}}, job("a"), job("b")], notes)
    assert desk.order == ["a", "b", "a", "a"]
    assert [told for told in notes.told if told[0] in ("starting", "wait")] == [
        ("starting", "a#0", 0),
        ("starting", "b#1", 1),
        ("wait", 20),
        ("wait", 30),
    ]
    (again,) = [end for end in notes.ends if end.job.id == "a"]
    assert (again.tries, again.run, again.last) == (3, 0, True)
    assert (result.reason, len(result.runs)) == ("success", 2)
    assert "[R/T] ⚠ a will be tried again in 20ms (try 2)" in desk.log
    assert desk.engine.ended == ["1", "1", "1"], "no host is kept while it waits"


def test_after_the_last_try_the_failure_counts(desk: Desk) -> None:
    notes = Notes(delays=[1, None])
    desk.engine.jobs["a"] = lambda state, request: NO
    result = carry_out(desk, [job("a")], notes)
    assert [told for told in notes.told if told[0] == "failed"] == [("failed", "a", 1), ("failed", "a", 2)]
    assert (result.reason, notes.ends[0].tries) == ("fail", 2)


def test_tries_before_a_pause_count_after_it(desk: Desk) -> None:
    notes = Notes()
    desk.engine.jobs["a"] = lambda state, request: NO
    carry_out(desk, [job("a")], notes, frontier=[("a", {}, 4)])
    assert ("failed", "a", 5) in notes.told


def test_a_pause_that_nobody_waits_for_parks_the_attempt(desk: Desk) -> None:
    notes = Notes(delays=[120_000], waits=[False])
    hands = Hands()
    desk.settings = replace(desk.settings, clock=hands.clock)
    desk.engine.jobs["a"] = lambda state, request: NO
    result = carry_out(desk, [{"id": "t", "next": {"a": True, "b": True}}, job("a"), job("b")], notes)
    assert result.parked_ms == 120_000
    assert [end.job.id for end in notes.ends] == ["b"]
    assert not notes.ends[0].last


def test_a_pause_does_not_count_as_time_of_the_attempt(desk: Desk) -> None:
    hands = Hands()

    class Slow(Notes):
        def wait(self, duration_ms: int) -> bool:
            hands.pass_ms(duration_ms)
            return True

    desk.settings = replace(desk.settings, attempt_timeout_ms=1000, clock=hands.clock)
    answers: list[object] = [NO, {"ok": True}]
    desk.engine.jobs["a"] = lambda state, request: answers.pop(0)
    assert carry_out(desk, [job("a")], Slow(delays=[50_000])).reason == "success"


def test_a_crash_elsewhere_drops_what_waits_for_its_next_try(desk: Desk) -> None:
    notes = Notes(delays=[10])
    desk.engine.jobs = {"a": lambda state, request: NO, "b": lambda state, request: failure("x", "RuntimeCrash", "crash")}
    result = carry_out(desk, [{"id": "t", "next": {"a": True, "b": True}}, job("a"), job("b")], notes)
    assert (desk.order, result.reason) == (["a", "b"], "crash")
    assert notes.ends[-1].last


@pytest.mark.parametrize(("hands_on", "touched"), [(None, True), ("at_error", True), ("initial", False)])
def test_what_a_failure_edge_hands_on(desk: Desk, hands_on: str | None, touched: bool) -> None:
    notes = Notes()

    def fail(state: State, request: RunRequest) -> RunError:
        state["touched"] = True
        return NO

    desk.engine.jobs["a"] = fail
    program = desk.prepare({"steps": [job("a", {"b": {"condition": "on_job_failure"}, "c": True}), job("b"), job("c")]})
    plan = program.plan
    first = plan.workflow.nodes[0]
    edges = tuple(replace(edge, failure_input=hands_on) for edge in first.edges)
    nodes = (replace(first, edges=edges), *plan.workflow.nodes[1:])
    program = replace(program, plan=replace(plan, workflow=replace(plan.workflow, nodes=nodes)))
    execute(program, b'{"data":{}}', desk.engine, outside=Outside(recorder=notes))
    told, always = notes.ends[0].follows
    state = json.loads(told.state or b"")
    assert ("touched" in state, state["error"], list(state["errors"])) == (touched, "log of 0", ["a"])
    assert (told.changed, always.changed) == (True, False)
    assert always.state is notes.ends[0].state


def test_failure_edges_after_a_crash_are_told_with_the_crash(desk: Desk) -> None:
    notes = Notes()
    desk.engine.jobs["a"] = lambda state, request: failure("x", "RuntimeCrash", "crash")
    carry_out(desk, [job("a", {"b": "on_job_failure", "c": True}), job("b"), job("c")], notes, {"data": 1})
    (follow,) = notes.ends[0].follows
    assert (follow.node.id, follow.changed) == ("b", True)
    assert json.loads(follow.state or b"")["error"] == "log of 0"


def test_where_nobody_keeps_a_record_failure_edges_get_what_they_always_got(desk: Desk) -> None:
    desk.engine.jobs["a"] = lambda state, request: NO
    result = desk.execute([job("a", {"b": "on_job_failure"}), job("b")])
    assert "error" not in json.loads(result.state or b"")


def test_a_job_that_is_no_program_crashes_alone(desk: Desk) -> None:
    steps = [
        {"id": "t", "next": {"a": True, "b": True}},
        {"id": "a", "expression": "fn(s => {{ (", "next": {"f": "on_job_failure"}},
        job("b"),
        job("f"),
    ]
    plan = read_plan({"workflow": {"steps": steps}})
    records: list[LogRecord] = []
    program = prepare(plan, desk.resolve, compile_settings=CompileSettings(strict=False), on_log=records.append)
    result = execute(program, b"{}", desk.engine)
    assert desk.order == ["b", "f"]
    assert (result.reason, result.error_type) == ("crash", "CompileError")
    assert [run.reason for run in result.runs] == ["crash", "success", "success"]


def test_limits_of_a_job_go_before_those_of_the_attempt(desk: Desk) -> None:
    desk.settings = replace(desk.settings, timeout_ms=500, memory_mb=100, jobs={"a": JobLimits(50, 40), "b": JobLimits(0, None)})
    desk.execute([job("a", "b"), job("b", "c"), job("c")])
    limits = [(request.limits.timeout_ms, request.limits.memory_mb) for request in desk.engine.requests]
    assert limits == [(50, 40), (None, 100), (500, 100)]
