"""What does not end by itself is ended, and the next Run is correct (engine.md §10)."""

from __future__ import annotations

import os

import pytest

from kivuko.engines import Limits, RunError

from .conftest import Bench

QUICK = Limits(timeout_ms=400)
SMALL = Limits(timeout_ms=60_000, memory_mb=64)


def error_of(bench: Bench, operation: str, limits: Limits) -> RunError:
    error = bench.run(operation, limits=limits).error
    assert bench.run("s => s", limits=limits).state == b'{"data":{}}', "the run after it is correct"
    assert error is not None
    return error


@pytest.mark.parametrize(
    "operation",
    [
        "s => { while (true); }",
        "s => { /^(a+)+$/.test('a'.repeat(60) + 'b') }",
        "s => { Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0) }",
        "s => new Promise(() => {})",
        "async s => { while (true) await null }",
        "s => { const p = new Proxy({}, { get: () => { while (true); } }); return p }",
        "s => { Promise.prototype.then = () => {}; return new Promise(() => {}) }",
        "s => { while (true) console.log(1) }",
        "s => { while (true) { try { console.log.constructor('process.stderr.write(\"x\".repeat(1000))')() } catch {} } }",
    ],
)
def test_what_never_ends_is_killed_at_the_time_limit(bench: Bench, operation: str) -> None:
    error = error_of(bench, operation, QUICK)
    assert (error.name, error.severity, error.message) == ("TimeoutError", "kill", "Job took longer than 400ms to complete")


def test_a_host_that_closes_its_pipe_and_goes_on_is_killed(bench: Bench) -> None:
    code = "const p = console.log.constructor('return process')(); p.getBuiltinModule('fs').closeSync(4); while (true);"
    assert error_of(bench, f"s => {{ {code} }}", QUICK).severity in {"crash", "kill"}


def test_a_limit_of_state_holds_for_what_conditions_add(bench: Bench) -> None:
    edges = (("b", "(state.more = 'x'.repeat(3e6))"),)
    error = bench.run("s => s", edges=edges, limits=Limits(state_mb=1)).error
    assert error is not None
    assert error.name == "StateTooLargeError"


def test_timers_that_have_fired_are_forgotten(bench: Bench) -> None:
    many = "s => new Promise(done => { let n = 0; const next = () => ++n < 100000 ? setTimeout(next, 0) : done(s); next() })"
    few = bench.run("s => s").heap_bytes
    assert bench.run(many.replace("setTimeout(next, 0)", "(setTimeout(() => {}, 0), n % 100 ? next() : setTimeout(next, 0))")).error is None
    assert bench.run("s => s").heap_bytes < few + (40 << 20)


def test_the_log_written_before_a_kill_has_arrived(bench: Bench) -> None:
    bench.run("s => { console.log('before'); while (true); }", limits=QUICK)
    assert bench.log == [("info", "JOB", ("before",))]


def test_a_heap_bomb_is_an_out_of_memory_error(bench: Bench) -> None:
    error = error_of(bench, "s => { const a = []; while (true) a.push(new Array(10000).fill(Math.random())) }", SMALL)
    assert (error.name, error.severity) == ("OOMError", "kill")


def test_buffers_beyond_the_limit_fail_in_the_job(bench: Bench) -> None:
    error = error_of(bench, "s => { const kept = []; for (let i = 0; i < 60; i++) kept.push(Buffer.alloc(64 << 20, 1)) }", SMALL)
    assert (error.name, error.subtype) in {("RuntimeError", "RangeError"), ("OOMError", None)}


def test_wasm_is_no_way_around_the_limit(bench: Bench) -> None:
    grow = "s => { const m = new WebAssembly.Memory({ initial: 1, maximum: 65536 }); while (true) m.grow(1024) }"
    error = error_of(bench, grow, SMALL)
    assert error.name in {"RuntimeError", "OOMError"}


def test_a_process_that_exits_is_an_exit_error(bench: Bench) -> None:
    error = error_of(bench, "s => console.log.constructor('process.exit(3)')()", QUICK)
    assert (error.name, error.severity, error.message) == ("ExitError", "crash", "Process exited with code: 3")


def test_a_process_that_aborts_is_an_exit_error(bench: Bench) -> None:
    assert error_of(bench, "s => console.log.constructor('process.abort()')()", QUICK).name == "ExitError"


def test_deep_recursion_is_an_error_of_the_job(bench: Bench) -> None:
    error = error_of(bench, "s => { const f = () => f(); f() }", QUICK)
    assert (error.name, error.subtype) == ("RuntimeError", "RangeError")


def test_a_state_nested_beyond_reason_is_an_error_of_the_job(bench: Bench) -> None:
    error = error_of(bench, "s => { let o = {}; for (let i = 0; i < 1e6; i++) o = { o }; return { o } }", Limits(timeout_ms=60_000))
    assert error.severity == "fail"


def test_no_process_is_left_of_a_killed_run(bench: Bench) -> None:
    before = set(children())
    bench.run("s => { while (true); }", limits=Limits(timeout_ms=200, memory_mb=99))
    assert set(children()) <= before


def children() -> list[str]:
    with open(f"/proc/self/task/{os.getpid()}/children") as file:
        return file.read().split()
