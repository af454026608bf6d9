"""The engine that many threads use at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from kivuko.engines import Cancel, EngineSettings, HostKey, Limits, LogLine, RunRequest, RunResult
from kivuko.engines.served import ServedEngine
from kivuko.errors import EngineClosed, EngineError, JobSyntaxError
from kivuko.value import replace

from .conftest import KEY
from .test_engine import request as plain_request


def request(*operations: str, **changes: object) -> RunRequest:
    """A Run, with some fields changed."""
    return replace(plain_request(*operations), **changes)


WAIT = "async s => { await new Promise(r => setTimeout(r, 5)); return s }"


@pytest.fixture
def engine() -> Iterator[ServedEngine]:
    with ServedEngine(EngineSettings(most_hosts=2)) as started:
        yield started


def test_runs_and_checks_of_many_threads_are_done_together(engine: ServedEngine) -> None:
    def work(at: int) -> RunResult:
        engine.check("(1)", "1", key=KEY)
        result = engine.run(request(WAIT, attempt=f"a{at}"))
        engine.end(f"a{at}")
        return result

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(work, range(24)))
    assert [result.state for result in results] == [b'{"data":{}}'] * 24


def test_what_goes_wrong_comes_to_the_thread_that_asked(engine: ServedEngine) -> None:
    with pytest.raises(JobSyntaxError):
        engine.check("(", "(")
    assert engine.run(request("s => s")).error is None


def test_a_run_is_cancelled_from_another_thread(engine: ServedEngine) -> None:
    cancel = Cancel()
    lines: list[LogLine] = []
    began = threading.Event()

    def hear(line: LogLine) -> None:
        lines.append(line)
        began.set()

    threading.Thread(target=lambda: (began.wait(20), cancel.cancel())).start()
    result = engine.run(request("s => { console.log(1); while (true); }", limits=Limits(timeout_ms=None)), on_log=hear, cancel=cancel)
    assert result.error is not None
    assert result.error.name == "Cancelled"


def test_who_writes_too_much_waits_until_he_is_released(engine: ServedEngine) -> None:
    cancel, lines = Cancel(), list[LogLine]()
    cancel.hold()
    many = "s => { for (let i = 0; i < 30000; i++) console.log(i, 'x'.repeat(100)); return s }"
    done = threading.Event()

    def work() -> None:
        engine.run(request(many), on_log=lines.append, cancel=cancel)
        done.set()

    threading.Thread(target=work, daemon=True).start()
    assert engine.run(request("s => s", key=HostKey("other", ""), attempt="b")).error is None, "others go on"
    assert not done.wait(0.5)
    held = len(lines)
    cancel.release()
    assert done.wait(60)
    assert (held, len(lines)) == (0, 30000)


def test_a_held_run_can_be_cancelled(engine: ServedEngine) -> None:
    cancel = Cancel()
    cancel.hold()
    threading.Timer(0.1, cancel.cancel).start()
    result = engine.run(request("s => { while (true) console.log('x'.repeat(1000)) }", limits=Limits(timeout_ms=None)), cancel=cancel)
    assert result.error is not None
    assert result.error.name == "Cancelled"


def test_a_callback_that_asks_the_engine_is_refused(engine: ServedEngine) -> None:
    told: list[BaseException] = []

    def ask(line: LogLine) -> None:
        try:
            engine.check("(1)", "1")
        except EngineError as problem:
            told.append(problem)

    engine.run(request("s => { console.log(1); return s }"), on_log=ask)
    assert "callback" in str(told[0])


def test_who_waits_when_the_engine_closes_hears_of_it(engine: ServedEngine) -> None:
    began = threading.Event()
    problems: list[BaseException] = []

    def work() -> None:
        try:
            engine.run(request("s => { console.log(1); while (true); }", limits=Limits(timeout_ms=None)), on_log=lambda line: began.set())
        except EngineClosed as problem:
            problems.append(problem)

    thread = threading.Thread(target=work)
    thread.start()
    assert began.wait(20)
    engine.close()
    thread.join(20)
    assert len(problems) == 1
    with pytest.raises(EngineClosed):
        engine.run(request("s => s"))
    engine.end("a")
    engine.prepare(HostKey("p", ""))
    engine.close()


def test_a_callback_that_breaks_ends_the_engine_and_nobody_waits_for_ever(engine: ServedEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    raised: list[BaseException | None] = []
    monkeypatch.setattr(threading, "excepthook", lambda told: raised.append(told.exc_value))

    def fail(line: LogLine) -> None:
        raise RuntimeError("the sink is broken")

    with pytest.raises(EngineClosed):
        engine.run(request("s => { console.log(1); return s }"), on_log=fail)
    engine.close()
    assert str(raised[0]) == "the sink is broken"


def test_a_host_is_prepared_without_waiting(engine: ServedEngine) -> None:
    engine.prepare(HostKey("early", ""), attempt="a")
    assert engine.run(request("s => s", key=HostKey("early", ""), attempt="a")).error is None


def hosts_after(attempts: int, operation: str, *, at_once: int) -> int:
    """How many hosts have served so many Attempts; there may be one for each that is under way."""

    def work(at: int) -> RunResult:
        result = engine.run(request(operation, attempt=f"a{at}"))
        engine.end(f"a{at}")
        return result

    with ServedEngine(EngineSettings(most_hosts=at_once, blank_hosts=0)) as engine, ThreadPoolExecutor(at_once) as pool:
        assert all(result.error is None for result in pool.map(work, range(attempts)))
        return len(engine._supervisor._pool.hosts)


def test_runs_that_are_soon_over_share_few_hosts() -> None:
    assert hosts_after(100, "s => s", at_once=16) <= 8


def test_runs_that_take_long_get_a_host_each() -> None:
    assert hosts_after(6, "async s => { await new Promise(r => setTimeout(r, 3000)); return s }", at_once=6) == 6


def test_a_host_between_two_runs_of_an_attempt_waits_for_the_next_one() -> None:
    with ServedEngine(EngineSettings(most_hosts=1)) as engine:
        engine.run(request("s => s", attempt="a"))
        (first,) = (host.pid for host in engine._supervisor._pool.hosts)
        with ThreadPoolExecutor(1) as pool:
            other = pool.submit(engine.run, request("s => s", attempt="b"))
            assert engine.run(request("s => s", attempt="a")).error is None
            assert [host.pid for host in engine._supervisor._pool.hosts] == [first], "it was not ended for the other Attempt"
            engine.end("a")
            assert other.result(20).error is None
        assert [host.pid for host in engine._supervisor._pool.hosts] == [first]


def test_attempts_that_hold_a_host_and_need_another_do_not_wait_for_each_other_for_ever() -> None:
    def work(attempt: str, keys: tuple[HostKey, HostKey]) -> None:
        for key in keys:
            assert engine.run(request("s => s", key=key, attempt=attempt)).error is None

    one, two = HostKey("p", "one"), HostKey("p", "two")
    with ServedEngine(EngineSettings(most_hosts=2)) as engine, ThreadPoolExecutor(2) as pool:
        for waiting in [pool.submit(work, "a", (one, two)), pool.submit(work, "b", (two, one))]:
            waiting.result(30)
