"""Attempts in real hosts: what the walk and the host do together."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from kivuko.engines import Cancel, Engine, HostKey, Isolation, ModuleFiles, RunRequest, RunResult
from kivuko.errors import AdaptorMissing, CompileError, PlanError
from kivuko.runtime import AttemptResult, AttemptSettings, Outside, execute, prepare, shared_key
from kivuko.runtime.logs import LogRecord, text_line
from kivuko.runtime.ports import OnLog
from kivuko.value import replace
from kivuko.workflow import read_plan

from .conftest import FakeAdaptor

TRACE = "fn(s => { (s.path ??= []).push('%s'); return s; })\nfunction fn(f) { return s => f(s); }\n"


class Room:
    """Executes plans in one engine, each as an Attempt of its own; nothing but the engine outlives a call."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.attempts = 0
        self.log: list[str] = []
        self.adaptors: dict[str, FakeAdaptor] = {}

    def resolve(self, text: str) -> FakeAdaptor:
        if text not in self.adaptors:
            raise AdaptorMissing(f"{text} is not installed")
        return self.adaptors[text]

    def hear(self, record: LogRecord) -> None:
        text = text_line(record)
        if text is not None:
            self.log.append(text)

    def execute(self, document: object, state: object = None, cancel: Cancel | None = None, **settings: object) -> AttemptResult:
        self.attempts += 1
        self.log = []
        chosen = replace(AttemptSettings(attempt=str(self.attempts)), **settings)  # type: ignore[arg-type]
        plan = read_plan({"steps": document} if isinstance(document, list) else document)
        program = prepare(plan, self.resolve, engine=self.engine, settings=chosen, on_log=self.hear)
        outside = Outside(on_log=self.hear, cancel=cancel)
        return execute(program, json.dumps(state or {}).encode(), self.engine, settings=chosen, outside=outside)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine() as started:
        yield started


@pytest.fixture
def room(engine: Engine) -> Room:
    return Room(engine)


def step(identity: str, following: object = None, expression: str | None = None, **more: object) -> dict[str, object]:
    return {"id": identity, "expression": expression or TRACE % identity, "next": following, **more}


def state_of(result: AttemptResult) -> object:
    return None if result.state is None else json.loads(result.state)


def test_state_and_order_go_through_a_whole_workflow(room: Room) -> None:
    steps = [step("a", {"b": "state.data.n > 5", "c": "state.data.n <= 5"}), step("b", {"d": True}), step("c"), step("d")]
    assert state_of(room.execute(steps, {"data": {"n": 6}})) == {"data": {"n": 6}, "path": ["a", "b", "d"]}


def test_a_crash_takes_the_failure_edge_with_the_jobs_input(room: Room) -> None:
    crash = "fn(s => { s.data.n = 99; return nope; })\nfunction fn(f) { return s => f(s); }"
    edges = {"b": {"condition": "on_job_failure"}, "c": {"condition": "always"}, "d": {"condition": "on_job_success"}}
    result = room.execute([step("a", edges, crash), step("b"), step("c"), step("d")], {"data": {"n": 7}})
    final = state_of(result)
    assert isinstance(final, dict)
    assert (final["data"], final["path"]) == ({"n": 7}, ["b"])
    assert final["errors"]["a"]["name"] == "RuntimeCrash"
    assert (result.reason, result.error_type, result.runs[0].error_type, result.has_output) == (
        "crash",
        "RuntimeCrash",
        "ReferenceError",
        True,
    )
    assert "[R/T] ✘ CRITICAL ERROR! Aborting execution" in room.log


def test_a_busy_loop_is_stopped_and_takes_the_failure_edge(room: Room) -> None:
    result = room.execute([step("a", {"b": "on_job_failure"}, "export default [() => { for (;;); }]"), step("b")], timeout_ms=300)
    final = state_of(result)
    assert isinstance(final, dict)
    assert final["errors"]["a"] == {
        "source": "runtime",
        "name": "TimeoutError",
        "severity": "kill",
        "message": "Job took longer than 300ms to complete",
    }
    assert result.reason == "kill"
    assert "[R/T] ✘ Error: Timeout expired (300ms)" in room.log


def test_a_trigger_asks_the_host_only_for_what_needs_javascript(room: Room) -> None:
    steps = [{"id": "t", "next": {"b": "state.data.age > 18", "c": "state.data.age <= 18"}}, step("b"), step("c")]
    assert state_of(room.execute(steps, {"data": {"age": 28}})) == {"data": {"age": 28}, "path": ["b"]}


def test_a_condition_that_throws_is_told_with_its_edge(room: Room) -> None:
    result = room.execute([step("a", {"b": "state.no.where"}), step("b")])
    assert (result.reason, result.error_type, result.has_output) == ("crash", "EdgeConditionError", False)
    assert result.error_message is not None
    assert "a->b" in result.error_message
    assert "where" in result.error_message


def test_conditions_that_do_not_parse_are_found_before_the_first_step(room: Room) -> None:
    with pytest.raises(PlanError) as caught:
        room.execute([step("a", {"b": {"condition": "!!!"}, "c": {"condition": "@@"}}), step("b"), step("c")])
    assert "Failed to compile edge condition a->b" in caught.value.message
    assert "Failed to compile edge condition a->c" in caught.value.message
    assert room.log[0] == "[R/T] ✘ Error validating execution plan"
    assert room.log[-1] == "[R/T] ✘ Aborting"


@pytest.mark.parametrize("source", ["let a; let a", "fn(s => s);\nfn(s => { return ; } }", "return 1"])
def test_what_is_no_javascript_is_found_before_the_first_step(room: Room, source: str) -> None:
    with pytest.raises(CompileError) as caught:
        room.execute([step("a", "b"), step("b", None, source, name="Send")])
    assert caught.value.job == "Send"


def test_a_syntax_error_in_globals_is_found_before_the_first_step(room: Room) -> None:
    with pytest.raises(CompileError) as caught:
        room.execute({"globals": "export const = 1;", "steps": [step("a")]})
    assert caught.value.job == "globals"


def test_globals_reach_every_step(room: Room) -> None:
    source = "export const add = (a, b) => a + b;"
    steps = [
        step("a", "b", "export default [s => ({ v: add(1, 2) })]"),
        step("b", None, "export default [s => ({ ...s, w: add(s.v, 1) })]"),
    ]
    assert state_of(room.execute({"globals": source, "steps": steps})) == {"data": {}, "v": 3, "w": 4}


def test_the_report_of_a_failure_points_at_the_source(room: Room) -> None:
    source = "// one\n// two\nconst g = s => s.a.b.c;\nfn(s => g(s));\nfunction fn(f) { return s => f(s); }"
    room.execute([step("a", None, source, name="Map it")])
    at = room.log.index("[R/T] ✘ Error occurred at: Map it")
    assert room.log[at + 1 : at + 3] == ["[R/T] ✘ 3: const g = s => s.a.b.c;", "[R/T] ✘ " + " " * (3 + 19) + "^"]
    assert "[R/T] ✘ Check state.errors.a for details" in room.log


def test_an_adaptor_in_a_folder_is_loaded_and_blamed(room: Room, tmp_path: Path) -> None:
    entry = tmp_path / "index.js"
    entry.write_text("export const fail = () => async state => { const e = new Error('adaptor err'); e.code = 1234; throw e; };\n")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    name = "@openfn/language-test"
    room.adaptors[name] = FakeAdaptor(("fail",), ModuleFiles(name, f"{name}={tmp_path}", "folder", str(entry), (str(tmp_path),)))
    result = room.execute([step("a", None, "\n\nfail();", adaptors=[name])])
    assert (result.reason, result.error_type) == ("fail", "AdaptorError")
    assert '[R/T] ✘ Error reported by "fail()" operation line 3:' in room.log


def test_secrets_do_not_reach_the_log_of_a_real_job(room: Room) -> None:
    source = (
        "export default [s => { console.log('t=' + s.configuration.token, s, basic(s)); return s; }]\n"
        "const basic = s => Buffer.from('ann:' + s.configuration.token).toString('base64');"
    )
    room.execute([step("a", None, source, configuration={"username": "ann", "token": "TOP-SECRET"})])
    (line,) = [text for text in room.log if text.startswith("[JOB]")]
    assert "TOP-SECRET" not in line
    assert "YW5u" not in line
    assert line.startswith("[JOB] ℹ t=****")


def test_one_host_serves_all_jobs_when_credentials_may_share_it() -> None:
    used: list[HostKey] = []

    class Watched(Engine):
        def run(self, request: RunRequest, *, on_log: OnLog | None = None, cancel: Cancel | None = None) -> RunResult:
            used.append(request.key)
            return super().run(request, on_log=on_log, cancel=cancel)

    with Watched() as watched:
        Room(watched).execute([step("a", "b", configuration={"k": 1}), step("b", configuration={"k": 2})])
    assert len(set(used)) == 1


def test_the_shared_key_is_the_one_that_the_runs_use(room: Room) -> None:
    plan = read_plan({"steps": [step("a")]})
    settings = AttemptSettings(project="p")
    assert shared_key(prepare(plan, room.resolve, settings=settings), settings) == HostKey("p", "")


def test_different_credentials_are_kept_apart_where_hosts_are_not_shared(room: Room) -> None:
    steps = [
        step("a", "b", "export default [s => ({ one: s.configuration.k })]", configuration={"k": "first"}),
        step("b", None, "export default [s => ({ ...s, two: s.configuration.k })]", configuration={"k": "second"}),
    ]
    result = room.execute(steps, one_host=False, isolation=Isolation.ATTEMPT)
    assert state_of(result) == {"data": {}, "one": "first", "two": "second"}


def test_a_cancelled_attempt_ends_at_once(room: Room) -> None:
    cancel = Cancel()

    class Impatient(Room):
        def hear(self, record: LogRecord) -> None:
            super().hear(record)
            if record.component == "JOB":
                cancel.cancel()

    impatient = Impatient(room.engine)
    waits = "export default [s => { console.log('waiting'); return new Promise(() => {}); }]"
    result = impatient.execute([step("a", {"b": "on_job_failure"}, waits), step("b")], cancel=cancel)
    assert (result.reason, result.error_type, len(result.runs)) == ("kill", "Cancelled", 1)


def test_debug_lines_of_host_and_walk_come_in_order(room: Room) -> None:
    room.execute([step("a", {"b": "always"}, name="Fetch"), step("b")], debug=True)
    wanted = [
        "Executing workflow",
        "Starting execution from step a",
        "Starting step Fetch",
        "Timeout set to 300000ms",
        "Executing expression (1 operations)",
        "Starting operation 1",
        "Operation 1 complete in",
        "Expression complete!",
        "Fetch completed in",
        "Cleaning up state. Removing keys: configuration",
        "Step memory usage: [step",
        "Edge condition returned true; b will be executed next",
        "Starting step b",
    ]
    places = [next(number for number, text in enumerate(room.log) if words in text) for words in wanted]
    assert places == sorted(places)


def test_log_lines_of_the_host_are_records_of_their_run(engine: Engine) -> None:
    heard: list[LogRecord] = []
    source = "export default [s => { console.log(1, undefined); return s }]"
    program = prepare(read_plan({"steps": [step("a", None, source)]}), Room(engine).resolve)
    execute(program, b"{}", engine, outside=Outside(on_log=heard.append))
    (line,) = [record for record in heard if record.component == "JOB"]
    assert (line.message, line.text, line.job_id, line.run) == ((1, None), (None, "undefined"), "a", 0)
    assert text_line(line) == "[JOB] ℹ 1 undefined"
