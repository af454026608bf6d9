"""No Run sees another's data: keys, contexts, recycling (engine.md §6, §8)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from kivuko.engines import Engine, EngineSettings, HostKey, Isolation

from .conftest import Bench

PID = "s => ({ pid: console.log.constructor('return process.pid')() })"


@pytest.fixture
def fresh() -> Iterator[Bench]:
    with Engine(EngineSettings(most_hosts=3)) as engine:
        yield Bench(engine)


def pid(bench: Bench, attempt: str = "attempt", **options: Any) -> int:
    state = bench.run(PID, attempt=attempt, **options).state
    assert state is not None
    found = json.loads(state)["pid"]
    assert isinstance(found, int)
    return found


def test_runs_of_one_key_share_a_host(fresh: Bench) -> None:
    first = pid(fresh, "one")
    fresh.engine.end("one")
    assert pid(fresh, "two") == first


def test_another_credential_is_another_process(fresh: Bench) -> None:
    mine, other = HostKey("p", "mine"), HostKey("p", "other")
    first = pid(fresh, key=mine)
    assert pid(fresh, key=other) != first
    assert pid(fresh, key=mine) == first


def test_another_project_is_another_process(fresh: Bench) -> None:
    assert pid(fresh, key=HostKey("p", "c")) != pid(fresh, key=HostKey("q", "c"))


def test_isolation_attempt_is_a_process_for_each_attempt(fresh: Bench) -> None:
    first = pid(fresh, "one", isolation=Isolation.ATTEMPT)
    assert pid(fresh, "one", isolation=Isolation.ATTEMPT) == first
    fresh.engine.end("one")
    assert pid(fresh, "two", isolation=Isolation.ATTEMPT) != first


def test_isolation_attempt_never_gets_a_host_that_served_another(fresh: Bench) -> None:
    shared = pid(fresh, "one")
    fresh.engine.end("one")
    assert pid(fresh, "two", isolation=Isolation.ATTEMPT) != shared


def test_runs_share_no_globals(fresh: Bench) -> None:
    pollute = "s => { globalThis.leak = 1; Array.prototype.map = () => 'polluted'; globalThis.JSON = null; return s }"
    first = pid(fresh)
    assert fresh.run(pollute).state == b'{"data":{}}'
    result = fresh.run("s => ({ leak: typeof leak, map: [1].map(x => x + 1), json: typeof JSON.parse })")
    assert result.state == b'{"leak":"undefined","map":[2],"json":"function"}'
    assert pid(fresh) == first, "a run's own realm needs no new host"


@pytest.mark.parametrize(
    "code",
    [
        "Object.prototype.x = 1",
        "Object.getPrototypeOf(JSON).x = 1",
        "JSON.stringify = () => 'forged'",
        "Array.prototype.push = function () { return 0 }",
        "globalThis.leak = 1",
        "Object.defineProperty(Array.prototype, 'at', { get: () => 1 })",
        "Object.setPrototypeOf(Map.prototype, null)",
        "require = null; globalThis.fetch = () => 'mine'",
        "process.getBuiltinModule('net').Socket.prototype.connect = () => 'mine'",
        "process.getBuiltinModule('fs').readSync = () => 'mine'",
        "delete Promise.prototype.finally",
    ],
)
def test_a_changed_main_realm_costs_the_host_its_life_and_the_next_run_is_correct(fresh: Bench, code: str) -> None:
    first = pid(fresh)
    fresh.run(f"s => {{ console.log.constructor({json.dumps(code)})(); return s }}")
    assert pid(fresh) != first
    assert fresh.run("s => ({ x: ({}).x, ok: [1, 2].map(n => n * 2) })").state == b'{"ok":[2,4]}'


def test_a_timer_left_in_the_main_realm_costs_the_host_its_life(fresh: Bench) -> None:
    first = pid(fresh, "one")
    fresh.run("s => { console.log.constructor('setInterval(() => {}, 1e6)')(); return s }", attempt="one")
    fresh.engine.end("one")
    assert pid(fresh, "two") != first


def test_the_last_run_of_an_attempt_ends_it(fresh: Bench) -> None:
    first = pid(fresh, "one", last=True)
    assert pid(fresh, "two") == first


def test_a_last_run_that_fails_or_leads_on_does_not_end_its_attempt(fresh: Bench) -> None:
    first = pid(fresh, "one", last=True, edges=(("b", True),))
    fresh.run("s => { throw new Error('x') }", attempt="one", last=True)
    assert pid(fresh, "two") != first
    assert pid(fresh, "one") == first


def test_what_a_last_run_leaves_behind_costs_the_host_its_life(fresh: Bench) -> None:
    first = pid(fresh, "one")
    result = fresh.run("s => { console.log.constructor('setInterval(() => {}, 1e6)')(); return s }", attempt="one", last=True)
    assert result.error is None
    assert pid(fresh, "two") != first


def test_what_is_thrown_after_the_last_run_costs_the_host_its_life_and_not_the_run(fresh: Bench) -> None:
    late = "setImmediate(() => setImmediate(() => { throw new Error('late') }))"
    first = pid(fresh, "one")
    assert fresh.run(f"s => {{ console.log.constructor({json.dumps(late)})(); return s }}", attempt="one", last=True).error is None
    assert pid(fresh, "two") != first


def test_isolation_attempt_ends_the_process_with_the_last_run(fresh: Bench) -> None:
    first = pid(fresh, "one", isolation=Isolation.ATTEMPT, last=True)
    assert pid(fresh, "one", isolation=Isolation.ATTEMPT) != first


def test_a_read_left_on_the_pipe_does_not_take_the_next_frame(fresh: Bench) -> None:
    steal = "const fs = process.getBuiltinModule('fs'); fs.read(3, Buffer.alloc(100), 0, 100, null, () => {})"
    fresh.run(f"s => {{ console.log.constructor({json.dumps(steal)})(); return s }}", attempt="one")
    fresh.engine.end("one")
    assert fresh.run("s => s", attempt="two").state == b'{"data":{}}'


def test_timers_of_a_run_end_with_it(fresh: Bench) -> None:
    fresh.run("s => { setInterval(() => console.log('late'), 1); return s }")
    fresh.run("s => new Promise(r => setTimeout(() => r(s), 30))")
    assert fresh.log == []


@pytest.mark.parametrize(
    "frame",
    [
        "Buffer.from([2, 0, 0, 0, 100, 123, 125])",
        "Buffer.from([255, 255, 255, 127, 122])",
        "Buffer.concat([Buffer.from([2, 0, 0, 0, 112]), Buffer.from('{}')])",
        "Buffer.from([0, 0, 0, 0, 101])",
        "Buffer.concat([Buffer.from([3, 0, 0, 0, 108]), Buffer.from('[1]')])",
        "Buffer.from([255, 255, 255, 255, 108])",
    ],
)
def test_a_forged_frame_is_a_protocol_error_and_the_next_run_is_correct(fresh: Bench, frame: str) -> None:
    code = f"process.getBuiltinModule('fs').writeSync(4, {frame})"
    error = fresh.run(f"s => {{ console.log.constructor({json.dumps(code)})(); return s }}").error
    assert error is not None
    assert (error.name, error.severity) == ("ProtocolError", "kill")
    assert fresh.run("s => s").state == b'{"data":{}}'


def test_a_host_is_replaced_after_its_number_of_runs() -> None:
    with Engine(EngineSettings(runs_per_host=3)) as engine:
        bench, seen = Bench(engine), []
        for number in range(6):
            seen.append(pid(bench, str(number)))
            engine.end(str(number))
    assert len(set(seen)) == 2
    assert seen[:3] == [seen[0]] * 3


def test_the_least_recently_used_host_makes_room() -> None:
    with Engine(EngineSettings(most_hosts=2)) as engine:
        bench = Bench(engine)
        first = pid(bench, key=HostKey("p", "1"))
        second = pid(bench, key=HostKey("p", "2"))
        assert pid(bench, key=HostKey("p", "1")) == first
        pid(bench, key=HostKey("p", "3"))
        assert pid(bench, key=HostKey("p", "1")) == first
        assert pid(bench, key=HostKey("p", "2")) != second


def test_blank_hosts_are_kept_ready_and_given_to_the_next_key() -> None:
    with Engine(EngineSettings(most_hosts=3, blank_hosts=1)) as engine:
        bench = Bench(engine)
        seen = {pid(bench, key=HostKey("p", str(number))) for number in range(3)}
    assert len(seen) == 3
