"""Questions to an engine besides Runs: checking, formatting, preparing; use from other threads; its end."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kivuko.engines import Cancel, EgressPolicy, Engine, EngineSettings, HostKey, Limits, RunRequest, RunResult
from kivuko.engines.host import Host
from kivuko.engines.sandbox import Layer
from kivuko.errors import EngineClosed, EngineError, HostFailed, InputError, JobSyntaxError, KivukoError, NodeMissing

from .conftest import KEY, Bench, script


def request(*operations: str, **options: object) -> RunRequest:
    return RunRequest(KEY, "attempt", "a", "a", script(*operations), "", b'{"data":{}}', **options)  # type: ignore[arg-type]


def test_a_script_that_compiles_passes_the_check_and_is_not_executed(bench: Bench) -> None:
    bench.engine.check("throw new Error('executed')", "throw new Error('executed')")


def test_a_syntax_error_has_v8s_words_and_place_where_there_is_no_acorn(bench: Bench) -> None:
    with pytest.raises(JobSyntaxError) as caught:
        bench.engine.check(script(body="let x = ;"), "let x = ;")
    assert (caught.value.line, caught.value.column) == (1, 8)


def test_a_text_that_only_its_wrapper_makes_valid_is_refused_where_the_compiler_was_in_doubt(bench: Bench) -> None:
    text = "(async function(){\n}); (async function(){\n})"
    bench.engine.check(text, "")
    with pytest.raises(JobSyntaxError):
        bench.engine.check(text, "", body="}); (async function(){")


def test_conditions_are_checked_as_what_follows_a_return(bench: Bench) -> None:
    bench.engine.check_condition("state.data.x > 1; // fine")
    with pytest.raises(JobSyntaxError):
        bench.engine.check_condition("state.data.(")
    with pytest.raises(JobSyntaxError):
        bench.engine.check_condition("1 }) ; (function(){ return 1")


@pytest.mark.parametrize(
    ("document", "text"),
    [(b'{"a":[1,{"b":1e-7}],"c":{}}', '{\n  "a": [\n    1,\n    {\n      "b": 1e-7\n    }\n  ],\n  "c": {}\n}'), (b"42", "42")],
)
def test_documents_are_indented_as_javascript_writes_them(bench: Bench, document: bytes, text: str) -> None:
    pieces: list[bytes] = []
    bench.engine.write_pretty(document, pieces.append)
    assert b"".join(pieces).decode() == text


def test_a_large_document_is_indented_in_pieces_that_keep_characters_whole(bench: Bench) -> None:
    document = ('{"text":"' + "😀é" * 700_000 + '"}').encode()
    pieces: list[bytes] = []
    bench.engine.write_pretty(document, pieces.append)
    assert len(pieces) > 1
    assert all(piece.decode() for piece in pieces)
    assert b"".join(pieces) == document.replace(b'{"text":', b'{\n  "text": ').replace(b'"}', b'"\n}')


def test_a_prepared_host_serves_the_run_that_follows() -> None:
    with Engine(EngineSettings(most_hosts=1)) as engine:
        engine.prepare(KEY, attempt="attempt")
        assert engine.run(request("s => s")).state == b'{"data":{}}'


def test_warming_a_key_without_modules_gives_no_names(bench: Bench) -> None:
    assert bench.engine.warm(HostKey("w", "w")) == {}
    assert bench.engine.warm(HostKey("w", "w")) == {}


def test_leaving_an_engine_ends_its_hosts_and_refuses_further_work() -> None:
    with Engine(EngineSettings()) as engine:
        engine.run(request("s => s"))
    with pytest.raises(EngineClosed):
        engine.run(request("s => s"))
    engine.close()


def test_a_missing_node_is_one_clear_error(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("KIVUKO_NODE", "/nowhere/node")
    with Engine(EngineSettings()) as engine, pytest.raises(NodeMissing, match="/nowhere/node"):
        engine.run(request("s => s"))


def test_a_node_that_does_not_start_a_host_is_one_clear_error() -> None:
    with Engine(EngineSettings(node=Path("/bin/false"))) as engine, pytest.raises(HostFailed, match="ended with status 1"):
        engine.run(request("s => s"))


class Served:
    """An engine whose loop is turned by a thread, as a worker has it."""

    def __init__(self, settings: EngineSettings) -> None:
        self.engine = Engine(settings)
        self.stopping = False
        self.thread = threading.Thread(target=self.engine.serve, args=(lambda: self.stopping,))
        self.thread.start()

    def run(self, count: int, *operations: str, cancel: Cancel | None = None, **options: object) -> list[RunResult | KivukoError]:
        done, outcomes = threading.Event(), list[RunResult | KivukoError]()

        def report(outcome: RunResult | KivukoError) -> None:
            outcomes.append(outcome)
            if len(outcomes) == count:
                done.set()

        for _ in range(count):
            self.engine.submit(request(*operations, **options), report, cancel=cancel)
        assert done.wait(60)
        return outcomes

    def stop(self) -> None:
        self.stopping = True
        self.engine.wake()
        self.thread.join(60)
        self.engine.close()


@pytest.fixture
def served() -> Iterator[Served]:
    made = Served(EngineSettings(most_hosts=2))
    yield made
    made.stop()


def test_runs_handed_over_by_another_thread_are_done_by_several_hosts(served: Served) -> None:
    outcomes = served.run(12, "async s => { await new Promise(r => setTimeout(r, 5)); return s }")
    assert [outcome.state for outcome in outcomes if isinstance(outcome, RunResult)] == [b'{"data":{}}'] * 12


def test_a_run_is_cancelled_from_another_thread(served: Served) -> None:
    cancel = Cancel()
    threading.Timer(0.05, cancel.cancel).start()
    (outcome,) = served.run(1, "s => { while (true); }", cancel=cancel, limits=Limits(timeout_ms=None))
    assert isinstance(outcome, RunResult)
    assert outcome.error is not None
    assert (outcome.error.name, outcome.error.severity) == ("Cancelled", "kill")
    (after,) = served.run(1, "s => s")
    assert isinstance(after, RunResult)
    assert after.state == b'{"data":{}}'


def test_a_run_that_still_waits_is_cancelled_without_a_host(served: Served) -> None:
    cancel = Cancel()
    cancel.cancel()
    (outcome,) = served.run(1, "s => s", cancel=cancel)
    assert isinstance(outcome, RunResult)
    assert outcome.error is not None
    assert outcome.error.name == "Cancelled"


def test_without_acorn_the_place_is_corrected_by_what_the_compiler_inserted(bench: Bench) -> None:
    with pytest.raises(JobSyntaxError) as caught:
        bench.engine.check(script(body=";O.push(()=>(fn(s => )));"), "fn(s => )", insertions=((1, 0, 13),))
    assert (caught.value.line, caught.value.column) == (1, 8)


def test_a_callback_that_fails_ends_its_run_and_no_other(bench: Bench) -> None:
    def fail(line: object) -> None:
        raise RuntimeError("the sink is broken")

    with pytest.raises(RuntimeError, match="sink"):
        bench.engine.run(request("s => { console.log(1); console.log(2); return s }"), on_log=fail)
    assert bench.run("s => { console.log(3); return s }").error is None
    assert bench.log == [("info", "JOB", (3,))]


def test_a_callback_that_asks_the_engine_is_refused(bench: Bench) -> None:
    with pytest.raises(EngineError, match="callback"):
        bench.engine.run(request("s => { console.log(1); return s }"), on_log=lambda line: bench.engine.check_condition("true"))
    assert bench.run("s => s").error is None


def test_a_closed_engine_starts_nothing_and_its_bell_rings_nowhere() -> None:
    engine = Engine(EngineSettings())
    cancel = Cancel()
    engine.run(request("s => s"), cancel=cancel)
    engine.close()
    with pytest.raises(EngineClosed):
        engine.prepare(KEY)
    engine.wake()
    cancel.cancel()


def test_failed_starts_leave_no_descriptors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIVUKO_NODE", "/nowhere/node")
    with Engine(EngineSettings()) as engine:
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(5):
            with pytest.raises(NodeMissing):
                engine.run(request("s => s"))
        assert len(os.listdir("/proc/self/fd")) == before


def test_a_policy_that_cannot_be_read_starts_nothing() -> None:
    with Engine(EngineSettings()) as engine:
        before = len(os.listdir("/proc/self/fd"))
        with pytest.raises(InputError, match="no network"):
            engine.run(request("s => s", egress=EgressPolicy(blocked=("not-a-network",))))
        assert len(os.listdir("/proc/self/fd")) == before


def test_blank_hosts_that_cannot_start_do_not_end_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIVUKO_NODE", "/nowhere/node")
    with Engine(EngineSettings(blank_hosts=1)) as engine, pytest.raises(NodeMissing):
        engine.run(request("s => s"))


def test_layers_that_the_machine_lacks_are_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Host, "missing_layers", frozenset({Layer.LANDLOCK}))
    told: list[tuple[str, ...]] = []
    with Engine(EngineSettings(on_missing_layers=told.append)) as engine:
        engine.run(request("s => s"))
        engine.warm(HostKey("other", ""))
    assert told == [("landlock",)]
