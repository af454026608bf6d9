"""Scenarios 21 to 29 of worker-protocol §10: their captures are kept back, so these frames are made as the table describes them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from kivuko.records import AttemptState, ExitReason
from server.lanes.workers.captures import Capture
from server.lanes.workers.serving import Serving
from server.lanes.workers.test_replay import Expected, Replay, check
from server.lanes.workers.worlds import World

JOBS = ("aaaaaaaa-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-000000000002")
TRIGGER = "77777777-0000-4000-8000-000000000001"
S, OK = AttemptState, (ExitReason.SUCCESS, None)

ABSENT: Any = object()
"""A key that is not sent at all."""


@pytest.fixture
def serving(any_world: World) -> Iterator[Serving]:
    """The lane on a port."""
    with Serving(any_world) as opened:
        yield opened


@dataclass
class Step:
    """A job that is executed: what comes out as a text of JSON (None: withheld as too large), what it writes to its log."""

    job: int = 0
    output: str | None = '{"data":{}}'
    lines: Sequence[tuple[str, list[object]]] = ()


@dataclass
class Made:
    """A scenario: its jobs, what is executed, what is told at the end."""

    steps: Sequence[Step]
    final_state: Any = ABSENT
    jobs: int = 1
    start: str = TRIGGER
    condition: str | None = "on_job_success"
    options: dict[str, object] = field(default_factory=dict)

    def capture(self, name: str) -> Capture:
        """The frames, as OpenFn's worker sends them."""
        capture = Capture(name, plan=self._plan(), state=b'{"data":{}}')
        frames = capture.frames
        frames += [("phx_join", {"token": "x"}), ("fetch:plan", {}), ("fetch:dataclip", {"id": "x"})]
        frames.append(("run:batch_logs", {"run_id": "x", "logs": [_line("R/T", "debug", ["before"], 1)]}))
        frames.append(("run:start", {"versions": {"worker": "1.25.0"}, "timestamp": "2"}))
        given = "99999999-aaaa-4000-8000-000000000001"
        for at, step in enumerate(self.steps):
            given = self._step(capture, step, given, at) or given
        frames.append(("run:complete", self._end(given)))
        frames.append(("phx_leave", {}))
        return capture

    def _step(self, capture: Capture, step: Step, given: str, at: int) -> str | None:
        step_id, clip = str(uuid.uuid4()), str(uuid.uuid4())
        named = {"step_id": step_id, "job_id": JOBS[step.job]}
        capture.frames.append(("step:start", {**named, "timestamp": str(10 * at + 3), "input_dataclip_id": given}))
        logs = [_line("JOB", level, message, 10 * at + 4, step_id) for level, message in step.lines]
        capture.frames.append(("run:batch_logs", {"run_id": "x", "logs": [*logs, _line("R/T", "info", ["done"], 10 * at + 5, step_id)]}))
        told = {**named, "mem": {"job": 1, "system": 2}, "duration": 3, "thread_id": 4, "timestamp": str(10 * at + 6)}
        withheld = {"output_dataclip_error": "DATACLIP_TOO_LARGE"}
        kept = withheld if step.output is None else {"output_dataclip_id": clip, "output_dataclip": step.output}
        capture.frames.append(("step:complete", {**told, **kept, "reason": "success", "error_type": None, "error_message": None}))
        return None if step.output is None else clip

    def _end(self, clip: str) -> dict[str, Any]:
        told = {"timestamp": "99", "final_state": self.final_state, "reason": "success", "error_type": None, "error_message": None}
        if self.steps[-1].output is not None:
            told["final_dataclip_id"] = clip
        return {key: value for key, value in told.items() if value is not ABSENT}

    def _plan(self) -> dict[str, Any]:
        jobs = [{"id": job, "name": f"Job {at + 1}", "adaptor": "x", "body": "fn(s => s)"} for at, job in enumerate(JOBS[: self.jobs])]
        edges = [{"id": str(uuid.uuid4()), "source_trigger_id": TRIGGER, "target_job_id": JOBS[0], "condition": "always"}]
        if self.jobs > 1:
            edges.append({"id": str(uuid.uuid4()), "source_job_id": JOBS[0], "target_job_id": JOBS[1], "condition": self.condition or ""})
        return {
            "project_id": "99999999-0000-4000-8000-000000000001",
            "triggers": [{"id": TRIGGER}],
            "jobs": jobs,
            "edges": edges,
            "starting_node_id": self.start,
            "options": {"run_timeout_ms": 60_000, "job_log_level": "info", **self.options},
        }


def _line(source: str, level: str, message: list[object], at: int, step_id: str | None = None) -> dict[str, Any]:
    return {"message": message, "source": source, "level": level, "timestamp": str(at), **({"step_id": step_id} if step_id else {})}


ONE = ((1, *OK),)
CONSOLE = [("info", [{"a": 1}, [2], None, "t"]), ("error", ["e"]), ("warn", ["w"])]

SCENARIOS = {
    "leaf_too_big": (Made([Step(output=None)], final_state={"data": "[REDACTED]"}), Expected(S.SUCCESS, None, ONE, 0)),
    "return_number": (Made([Step(output="42")], final_state=42), Expected(S.SUCCESS, None, ONE, 0, "last")),
    "return_undefined": (Made([Step(output="{}")]), Expected(S.SUCCESS, None, ONE, 0, "last")),
    "console_obj": (Made([Step(lines=CONSOLE)], final_state={"data": {}}), Expected(S.SUCCESS, None, ONE, 0, "last")),
    "log_none": (Made([Step()], final_state={"data": {}}, options={"job_log_level": "none"}), Expected(S.SUCCESS, None, ONE, 0, "last")),
    "globals": (Made([Step(output='{"data":3}')], final_state={"data": 3}), Expected(S.SUCCESS, None, ONE, 0, "last")),
    "manual_from_job2": (
        Made([Step(job=1)], final_state={"data": {}}, jobs=2, start=JOBS[1]),
        Expected(S.SUCCESS, None, ((2, *OK),), 0, "last"),
    ),
    "null_condition": (
        Made([Step(), Step(job=1)], final_state={"data": {}}, jobs=2, condition=None),
        Expected(S.SUCCESS, None, ((1, *OK), (2, *OK)), 0, "last"),
    ),
    "last": (Made([Step()], final_state={"data": {}}), Expected(S.SUCCESS, None, ONE, 0, "last")),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_leaves_what_the_table_says(name: str, any_world: World, serving: Serving) -> None:
    made, expected = SCENARIOS[name]
    capture = made.capture(name)
    replay = Replay(any_world, serving, capture)
    replay.play()
    assert replay.refused() == set()
    check(any_world, capture, replay.started, expected)
    plan = next(response for event, _, response in replay.replies if event == "fetch:plan")
    assert plan["starting_node_id"] == made.start


def test_what_a_job_printed_is_readable(any_world: World, serving: Serving) -> None:
    made, _ = SCENARIOS["console_obj"]
    replay = Replay(any_world, serving, made.capture("console_obj"))
    replay.play()
    lines = [line for line in any_world.lines(replay.started.attempt_id) if line.source == "JOB"]
    assert [(line.message, line.level.name) for line in lines] == [('{"a":1} [2] null t', "INFO"), ("e", "ERROR"), ("w", "WARN")]


@pytest.mark.parametrize("state", [None, True, 0, "text", [1], {}, {"a": {"b": [1.5, None]}}], ids=json.dumps)
def test_a_final_state_of_two_leaves_may_be_any_json(any_world: World, state: object) -> None:
    # R6. Null and absent are the same: there is none.
    worker = any_world.worker(foreign=True)
    capture = SCENARIOS["last"][0].capture("last")
    document = capture.document()
    started = any_world.begin(document, node=document.triggers[0].id, body=b"{}")
    topic = worker.take()
    worker.do(topic, "run:complete", {"reason": "success", "final_state": state})
    final = any_world.clip(any_world.attempt(started.attempt_id).final_dataclip_id)
    assert (json.loads(final) if final is not None else None) == state
