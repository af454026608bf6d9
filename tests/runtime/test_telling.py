"""What an Attempt tells while it goes: log lines and events."""

from __future__ import annotations

from kivuko.engines.run import LogLine
from kivuko.runtime import InitCompleted, InitStarted, JobCompleted, JobFailed, JobStarted, Memory, execute
from kivuko.value import replace

from .conftest import Desk, Hands, failure, job


def test_a_quiet_log_tells_what_ran(desk: Desk) -> None:
    desk.execute({"workflow": {"name": "Flow", "steps": [job("a", "b", name="Fetch it"), job("b")]}})
    assert desk.log == [
        "[R/T] ℹ Executing Flow",
        "[R/T] ℹ Starting step Fetch it",
        "[R/T] ✔ Fetch it completed in 5ms",
        "[R/T] ℹ Starting step b",
        "[R/T] ✔ b completed in 5ms",
    ]


def test_a_debug_log_tells_everything(desk: Desk) -> None:
    desk.settings = replace(desk.settings, debug=True, timeout_ms=9)
    desk.engine.conditions = {"yes": lambda state: 1, "no": lambda state: 0}
    desk.execute([job("a", {"b": "yes", "c": "no", "d": False}), job("b"), job("c"), job("d")])
    assert desk.log[:9] == [
        "[R/T] ℹ Executing workflow",
        "[R/T] ❯ Starting execution from step a",
        "[R/T] ℹ Starting step a",
        "[R/T] ❯ Timeout set to 9ms",
        "[R/T] ✔ a completed in 5ms",
        "[R/T] ❯ Cleaning up state. Removing keys: configuration",
        "[R/T] ❯ Step memory usage: [step 5mb] [system 80mb]",
        "[R/T] ❯ Edge condition returned true; b will be executed next",
        "[R/T] ❯ Edge condition returned false; c will NOT be executed",
    ]


def test_a_failure_is_told_and_reported(desk: Desk) -> None:
    desk.engine.jobs["a"] = lambda state, request: failure("oops")
    desk.execute([job("a")])
    assert desk.log[2:] == ["[R/T] ✘ a aborted with error (5ms)", "", "[R/T] ✘ oops", "[R/T] ✘ Check state.errors.a for details"]


def test_lines_of_the_job_come_in_order_with_the_run_they_belong_to(desk: Desk) -> None:
    desk.engine.lines = {"a": [LogLine("info", "JOB", ("hi", {"k": 1}), 7)], "b": [LogLine("error", "ADA", ("raw",), 8)]}
    desk.execute([job("a", "b"), job("b")])
    told = [
        (record.component, record.level, record.job_id, record.run, record.time_ns) for record in desk.records if record.component != "R/T"
    ]
    assert told == [("JOB", "info", "a", 0, 7), ("ADA", "error", "b", 1, 8)]
    started = [record for record in desk.records if record.message == ("Starting step b",)]
    assert [(record.job_id, record.run) for record in started] == [("b", 1)]
    assert (desk.records[0].job_id, desk.records[0].run) == (None, None)


def test_events_of_a_run_that_ended_well(desk: Desk) -> None:
    hands = Hands()
    desk.settings = replace(desk.settings, clock=hands.clock)

    def work(state: dict[str, object], request: object) -> dict[str, object]:
        hands.pass_ms(20)
        return state

    desk.engine.jobs["a"] = work
    desk.execute([job("a", "b"), job("b")], {"n": 1})
    init, ready, start, end = desk.events[:4]
    assert init == InitStarted("a", 0)
    assert isinstance(ready, InitCompleted)
    assert start == JobStarted("a", 0, b'{"n": 1}')
    assert isinstance(end, JobCompleted)
    assert 20 <= end.duration_ms < 21
    assert (end.state, end.next, end.memory) == (b'{"n":1,"data":{}}', ("b",), Memory(5 << 20, 80 << 20))
    assert [(event.name, event.job_id, event.run) for event in desk.events[4:]] == [
        ("init-start", "b", 1),
        ("init-complete", "b", 1),
        ("job-start", "b", 1),
        ("job-complete", "b", 1),
    ]


def test_the_event_of_a_failure(desk: Desk) -> None:
    desk.engine.jobs["a"] = lambda state, request: failure("oops")
    desk.execute([job("a", {"b": True}), job("b")])
    failed = desk.events[3]
    assert isinstance(failed, JobFailed)
    assert (failed.name, failed.error.message, failed.next, failed.duration_ms) == ("job-error", "oops", ("b",), 5)
    assert failed.state is not None
    assert b"oops" in failed.state


def test_an_attempt_needs_no_listener(desk: Desk) -> None:
    desk.engine.jobs["a"] = lambda state, request: failure("oops")
    assert execute(desk.prepare({"steps": [job("a")]}), b"{}", desk.engine).reason == "fail"
