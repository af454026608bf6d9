"""The frames of the real worker, replayed: what they leave in the database is what worker-protocol §10 says, on both databases."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from kivuko.records import Attempt, AttemptState, ExitReason, Id, Started
from server.lanes.workers.captures import Capture, captured, id_of, unbatched
from server.lanes.workers.foreign import ForeignWorker
from server.lanes.workers.serving import Serving
from server.lanes.workers.worlds import World

S, R = AttemptState, ExitReason


@dataclass(frozen=True)
class Expected:
    """A row of §10: state and error of the Attempt, (job number, reason, error) of its Runs, how many frames the worker sent.

    Runs that never began are those that a worker would have told about if it had come so far.
    """

    state: AttemptState
    error: str | None
    runs: tuple[tuple[int, ExitReason, str | None], ...]
    frames: int
    final: str | None = None
    starts: bool = True


OK = (R.SUCCESS, None)
TABLE = {
    "success": Expected(S.SUCCESS, None, ((1, *OK), (2, *OK)), 23, "last"),
    "fail": Expected(S.FAILED, "JobError", ((1, R.FAIL, "JobError"),), 18, "last"),
    "fail_then_handled": Expected(S.SUCCESS, None, ((1, R.FAIL, "JobError"), (2, *OK)), 22, "last"),
    "compile_error": Expected(S.CRASHED, "CompileError", ((1, R.CRASH, "CompileError"),), 13),
    "type_error_crash": Expected(S.FAILED, "RuntimeError", ((1, R.FAIL, "RuntimeError"),), 18, "last"),
    "reference_error": Expected(S.CRASHED, "RuntimeCrash", ((1, R.CRASH, "ReferenceError"),), 18),
    "timeout_kill": Expected(S.KILLED, "TimeoutError", ((1, R.KILL, "TimeoutError"),), 16),
    "cred_missing": Expected(S.EXCEPTION, "CredentialLoadError", ((1, R.EXCEPTION, "CredentialLoadError"),), 8, starts=False),
    "dataclip_err": Expected(S.EXCEPTION, "DataClipError", ((1, R.EXCEPTION, "DataClipError"),), 7, starts=False),
    "dataclip_null": Expected(S.SUCCESS, None, ((1, *OK),), 17, "last"),
    "no_output": Expected(S.SUCCESS, None, ((1, *OK),), 17),
    "too_big": Expected(S.SUCCESS, None, ((1, *OK), (2, *OK)), 24, "last"),
    "two_leaves": Expected(S.SUCCESS, None, ((1, *OK), (2, *OK), (3, *OK)), 26, "state"),
    "js_cond_false": Expected(S.SUCCESS, None, ((1, *OK),), 17, "last"),
    "oom": Expected(S.KILLED, "OOMError", ((1, R.KILL, "OOMError"),), 17),
    "bad_adaptor": Expected(S.EXCEPTION, "AutoinstallError", ((1, R.EXCEPTION, "AutoinstallError"),), 7, starts=False),
    "stepstart_err": Expected(S.SUCCESS, None, ((1, *OK),), 16, "last"),
    "drop_at_step_start": Expected(S.SUCCESS, None, ((1, *OK),), 16, "last"),
    "last": Expected(S.SUCCESS, None, ((1, *OK),), 16, "last"),
}


@pytest.fixture
def serving(any_world: World) -> Iterator[Serving]:
    """The lane on a port."""
    with Serving(any_world) as opened:
        yield opened


def seed(world: World, capture: Capture) -> Started:
    """The workflow and the input of a scenario; the same input is refused later where the worker was refused it."""
    document = capture.document()
    options = json.dumps(capture.plan["options"]).encode()
    node = id_of(capture.plan["starting_node_id"])
    started = world.begin(document, node=node, body=capture.state, options=options)
    if capture.name == "dataclip_err":
        world.wipe(started)
    return started


class Replay:
    """Plays a capture; each frame with our ids of run and token, the worker's own of steps and dataclips."""

    def __init__(self, world: World, serving: Serving, capture: Capture) -> None:
        self.world, self.serving, self.capture = world, serving, capture
        self.started = seed(world, capture)
        self.worker = ForeignWorker(serving)
        self.run = self.worker.claim()
        self.topic = f"run:{self.run['id']}"
        self.replies: list[tuple[str, str, Any]] = []

    def play(self) -> None:
        """All frames, in order."""
        for event, payload in self.capture.frames:
            self.send(event, payload)
        self.worker.close()

    def send(self, event: str, payload: Mapping[str, Any]) -> None:
        """One frame."""
        status, response = self.worker.say(self.topic, event, self.ours(payload))
        self.replies.append((event, status, response))

    def ours(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """The payload with our ids."""
        credentials = {"good": "676f6f64-2d63-7265-6465-6e7469616c21", "bad": "6261642d-2d63-7265-6465-6e7469616c21"}
        own = {"run_id": self.run["id"], "token": self.run["token"]}
        changed = {key: own[key] for key in own.keys() & payload.keys()}
        if payload.get("id") in credentials:
            changed["id"] = credentials[payload["id"]]
        return {**payload, **changed}

    def refused(self) -> set[str]:
        """The events that were answered with an error."""
        return {event for event, status, _ in self.replies if status != "ok"}


def check(world: World, capture: Capture, started: Started, expected: Expected) -> None:
    """Compares the database with the row of the table, and dataclips and log lines with the frames."""
    attempt = world.attempt(started.attempt_id)
    assert (attempt.state, attempt.error_type) == (expected.state, expected.error)
    assert (attempt.started_at is not None) == expected.starts
    runs = world.runs(attempt.id)
    assert [(_number(run.job_id), run.exit_reason, run.error_type) for run in runs] == list(expected.runs)
    check_outputs(world, capture, attempt, expected)
    check_log(world, capture, attempt)


def check_outputs(world: World, capture: Capture, attempt: Attempt, expected: Expected) -> None:
    """Outputs, inputs and the final state."""
    runs = {run.wire_id: run for run in world.runs(attempt.id) if run.wire_id}
    bodies: dict[str, str] = {}
    for step in capture.payloads("step:complete"):
        run = runs[step["step_id"]]
        stored = world.clip(run.output_dataclip_id)
        assert (stored.decode() if stored is not None else None) == step.get("output_dataclip")
        if stored is not None:
            bodies[step["output_dataclip_id"]] = stored.decode()
        assert run.memory_bytes == (step["mem"]["job"] if "mem" in step else None)
        assert run.reported_finished_at == (int(step["timestamp"]) if "timestamp" in step else None)
        error = json.loads(run.error) if run.error else {}
        assert error.get("message") == step["error_message"]
    for step in capture.payloads("step:start"):
        given = step.get("input_dataclip_id")
        if given in bodies:
            assert world.clip(runs[step["step_id"]].input_dataclip_id) == bodies[given].encode()
    final = world.clip(attempt.final_dataclip_id)
    (complete,) = capture.payloads("run:complete")
    if expected.final is None:
        assert final is None
    elif expected.final == "last":
        assert final == bodies[complete["final_dataclip_id"]].encode()
    else:
        assert final is not None
        assert json.loads(final) == complete["final_state"]
        assert "final_dataclip_id" not in complete
    told = [step["webhook_response"] for step in capture.payloads("step:complete") if "webhook_response" in step]
    assert (json.loads(attempt.webhook_response) if attempt.webhook_response else None) == (told[-1] if told else None)


def check_log(world: World, capture: Capture, attempt: Attempt) -> None:
    """Every line, in the order it came, with its run where that was known."""
    sent, stored = capture.lines(), world.lines(attempt.id)
    assert [line.seq for line in stored] == list(range(1, len(sent) + 1))
    assert [(line.source, line.level.name.lower()) for line in stored] == [(line["source"], line["level"]) for line in sent]
    assert [line.at_us for line in stored] == [int(line["timestamp"]) for line in sent]
    for line, told in zip(stored, sent, strict=True):
        if all(isinstance(part, str) for part in told["message"]):
            assert line.message == " ".join(told["message"])
    runs = {run.wire_id: run.id for run in world.runs(attempt.id)}
    announced = {step["step_id"] for step in capture.payloads("step:start")}
    if capture.name not in ("stepstart_err", "drop_at_step_start"):
        assert [line.run_id for line in stored] == [runs[told["step_id"]] if "step_id" in told else None for told in sent]
        assert {told["step_id"] for told in sent if "step_id" in told} <= announced


def _number(job_id: Id) -> int:
    return job_id[15]


PLAIN = sorted(set(TABLE) - {"stepstart_err", "drop_at_step_start"})


@pytest.mark.parametrize("name", PLAIN)
def test_a_scenario_leaves_what_the_table_says(name: str, any_world: World, serving: Serving) -> None:
    capture = captured()[name]
    assert len(capture.frames) == TABLE[name].frames
    replay = Replay(any_world, serving, capture)
    replay.play()
    assert replay.refused() == {"cred_missing": {"fetch:credential"}, "dataclip_err": {"fetch:dataclip"}}.get(name, set())
    check(any_world, capture, replay.started, TABLE[name])


def test_the_plan_and_the_state_are_those_of_the_capture(any_world: World, serving: Serving) -> None:
    capture = captured()["success"]
    replay = Replay(any_world, serving, capture)
    replay.play()
    answers = {event: response for event, _, response in replay.replies}
    assert answers["fetch:dataclip"] == capture.state
    assert answers["fetch:credential"] == {"user": "u", "password": "s3cret"}
    plan = answers["fetch:plan"]
    for key in ("project_id", "starting_node_id", "name"):
        assert plan[key] == capture.plan[key]
    assert [{**job, "credential_id": None} for job in plan["jobs"]] == [{**job, "credential_id": None} for job in capture.plan["jobs"]]
    assert plan["edges"] == [{"source_trigger_id": None, "source_job_id": None, **edge} for edge in capture.plan["edges"]]
    assert capture.plan["options"].items() <= plan["options"].items()


def test_a_refused_join_leaves_the_attempt_for_others(any_world: World, serving: Serving) -> None:
    # Scenario 17: the worker leaves the topic and claims the next run.
    capture = captured()["join_error"]
    assert len(capture.frames) == 2
    capture = Capture("join_error", plan=captured()["last"].plan, state=b"{}", frames=capture.frames)
    replay = Replay(any_world, serving, capture)
    replay.run["token"] += "x"
    replay.play()
    assert replay.replies == [("phx_join", "error", {"reason": "unauthorized"}), ("phx_leave", "ok", {})]
    assert any_world.attempt(replay.started.attempt_id).state is AttemptState.CLAIMED
    any_world.now_s += 15
    any_world.until_state(replay.started.attempt_id, AttemptState.QUEUED)


def test_a_refused_step_start_does_not_lose_the_step(any_world: World, serving: Serving) -> None:
    # Scenario 18: refused because of a job that does not exist; the worker goes on and completes the step (R2, R3).
    capture = captured()["stepstart_err"]
    replay = Replay(any_world, serving, capture)
    for event, payload in capture.frames:
        refuse = {"job_id": "bbbbbbbb-0000-4000-8000-000000000001"} if event == "step:start" else {}
        replay.send(event, {**payload, **refuse})
    replay.worker.close()
    assert replay.refused() == {"step:start"}
    check(any_world, capture, replay.started, TABLE["stepstart_err"])


def test_a_dropped_socket_loses_nothing(any_world: World, serving: Serving) -> None:
    # Scenario 19: the socket goes at step:start, which is never sent again; a second join of the queue replaces the first (R1, R2, R3).
    capture = captured()["drop_at_step_start"]
    replay = Replay(any_world, serving, capture)
    at = [event for event, _ in capture.frames].index("step:start")
    for event, payload in capture.frames[:at]:
        replay.send(event, payload)
    replay.worker.close()
    replay.worker = ForeignWorker(serving)
    replay.worker.say("worker:queue", "phx_leave", {})
    replay.worker.enter()
    for event, payload in capture.frames[at + 1 :]:
        replay.send(event, payload)
    replay.worker.close()
    assert replay.refused() == set()
    check(any_world, capture, replay.started, TABLE["drop_at_step_start"])


def test_unbatched_logs_and_a_leaf_that_fails(any_world: World, serving: Serving) -> None:
    # mock1: three jobs, two leaves of which one fails; its credential and its dataclip have names that are no ids.
    capture = unbatched()
    replay = Replay(any_world, serving, capture)
    replay.play()
    assert replay.refused() <= {"fetch:credential"}
    attempt = any_world.attempt(replay.started.attempt_id)
    assert (attempt.state, attempt.error_type) == (AttemptState.FAILED, "JobError")
    expected = Expected(S.FAILED, "JobError", (), 64, "state")
    check_outputs(any_world, capture, attempt, expected)
    check_log(any_world, capture, attempt)
    assert len({response["log_line_id"] for event, _, response in replay.replies if event == "run:log"}) == len(capture.lines())
