"""What went wrong in a job: class, severity, position, report (jobs-and-runtime §3)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kivuko.engines import RunError

from .conftest import Bench, script


def failed(bench: Bench, *operations: str, **options: Any) -> RunError:
    error = bench.run(*operations, **options).error
    assert error is not None
    return error


@pytest.mark.parametrize(
    ("thrown", "name", "severity", "message"),
    [
        ("new Error('x')", "JobError", "fail", "x"),
        ("'text'", "JobError", "fail", "text"),
        ("{ message: 'm', code: 5 }", "JobError", "fail", "m"),
        ("{ code: 5 }", "JobError", "fail", ""),
        ("5", "JobError", "fail", ""),
        ("new URIError('u')", "JobError", "fail", "u"),
        ("new TypeError('t')", "RuntimeError", "fail", "TypeError: t"),
        ("new RangeError('r')", "RuntimeError", "fail", "RangeError: r"),
        ("new ReferenceError('mine')", "RuntimeCrash", "crash", "ReferenceError: mine"),
        ("new SyntaxError('s')", "RuntimeCrash", "crash", "SyntaxError: s"),
        ("Object.assign(new Error('hard'), { severity: 'crash' })", "RuntimeCrash", "crash", "Error: hard"),
        ("{ severity: 'crash', message: 'hard' }", "RuntimeCrash", "crash", "Object: hard"),
        ("{ name: 'AdaptorError', message: 'mine' }", "JobError", "fail", "mine"),
        ("null", "RuntimeError", "fail", "TypeError: null was thrown instead of an error"),
        ("undefined", "RuntimeError", "fail", "TypeError: undefined was thrown instead of an error"),
    ],
)
def test_thrown_values_are_classified(bench: Bench, thrown: str, name: str, severity: str, message: str) -> None:
    error = failed(bench, f"s => {{ throw {thrown} }}")
    assert (error.name, error.severity, error.message) == (name, severity, message)


@pytest.mark.parametrize("code", ["eval('1')", "new Function('return 1')()", "(() => {}).constructor('return 1')()"])
def test_code_from_text_is_a_security_error_in_named_functions_too(bench: Bench, code: str) -> None:
    for body in ("", "const named = () => {};"):
        error = failed(bench, f"s => {code}", body=body)
        assert (error.name, error.severity, error.message) == ("SecurityError", "kill", "Illegal eval statement detected")
    assert failed(bench, "s => g()", body=f"function g() {{ return {code} }}").name == "SecurityError"


def test_a_reference_error_in_a_named_helper_only_fails(bench: Bench) -> None:
    error = failed(bench, "s => g()", body="function g() { return zzz }")
    assert (error.name, error.subtype, error.severity) == ("RuntimeError", "ReferenceError", "fail")


def test_a_json_parse_failure_crashes_where_no_helper_is_named(bench: Bench) -> None:
    assert failed(bench, "s => JSON.parse('{')").severity == "crash"


def test_the_report_in_the_state_has_exactly_the_keys_of_its_class(bench: Bench) -> None:
    result = bench.run("s => { s.data.x = 1; throw new Error('e') }")
    assert result.state is not None
    assert json.loads(result.state) == {
        "data": {"x": 1},
        "errors": {"a": {"source": "runtime", "name": "JobError", "severity": "fail", "message": "e"}},
    }


def test_a_failed_run_reports_its_input_with_mutations_and_loses_what_operations_returned(bench: Bench) -> None:
    result = bench.run("s => { s.data.x = 1; return { ...s, lost: true } }", "s => { s.gone = 1; s.data.y = 2; throw new Error('e') }")
    assert result.state is not None
    state = json.loads(result.state)
    assert state["data"] == {"x": 1, "y": 2}
    assert "lost" not in state
    assert "gone" not in state


@pytest.mark.parametrize("errors", ["null", "22", '"text"'])
def test_errors_that_are_no_object_are_replaced(bench: Bench, errors: str) -> None:
    result = bench.run("s => { throw new Error('e') }", state=f'{{"errors":{errors}}}'.encode())
    assert result.state is not None
    assert list(json.loads(result.state)["errors"]) == ["a"]


def test_older_errors_are_kept(bench: Bench) -> None:
    result = bench.run("s => { throw new Error('e') }", state=b'{"errors":{"old":{"message":"o"}}}')
    assert result.state is not None
    assert list(json.loads(result.state)["errors"]) == ["old", "a"]


def test_positions_are_those_of_the_authors_text(bench: Bench) -> None:
    source = "// one\nO.push(()=>(s => s.a.b.c));"
    error = failed(bench, script=script(body=source), source=source)
    assert (error.line, error.column, error.src) == (2, 22, "O.push(()=>(s => s.a.b.c));")
    assert error.report["pos"] == {"line": 2, "column": 22, "src": "O.push(()=>(s => s.a.b.c));"}
    assert error.report["step"] == "a"


def test_columns_are_corrected_by_what_the_compiler_inserted(bench: Bench) -> None:
    lines = ";O.push(()=>(fn(s => s.a.b.c)));function fn(f) { return f }"
    text = f"(async function(M,X,O,D){{'use strict';return (async function(){{\n{lines}\n}})()}})"
    error = failed(bench, script=text, source="fn(s => s.a.b.c);function fn(f) { return f }", insertions=((1, 0, 13), (1, 28, 2)))
    assert (error.line, error.column) == (1, 13)


def test_errors_while_the_text_is_evaluated_go_through_the_same_classes(bench: Bench) -> None:
    assert failed(bench, body="throw new Error('at load')").name == "JobError"
    assert failed(bench, body="nope(1)").name == "RuntimeCrash"


def test_a_value_that_is_no_operation_is_named_by_its_index(bench: Bench) -> None:
    error = failed(bench, "s => s", "42")
    assert (error.name, error.severity, error.message) == ("InvalidOperationError", "crash", "Invalid operation at statement 1")
    assert "fn(" in error.fix


@pytest.mark.parametrize("default", ["42", "{}", "null"])
def test_a_default_export_that_is_no_array_is_refused(bench: Bench, default: str) -> None:
    assert failed(bench, exports=f"X.default={default};").name == "InvalidExportsError"


def test_a_module_that_runs_as_written_must_export_its_operations(bench: Bench) -> None:
    assert bench.run(body="1", compiled=True).error is None
    assert failed(bench, body="1", compiled=False).name == "InvalidExportsError"


def test_operations_of_the_default_export_come_first(bench: Bench) -> None:
    mark = "s => ({ path: [...(s.path || []), '{}'] })"
    result = bench.run(mark.replace("{}", "call"), exports=f"X.default=[{mark.replace('{}', 'listed')}];")
    assert result.state == b'{"path":["listed","call"]}'


def test_an_exported_execute_reduces_the_operations(bench: Bench) -> None:
    result = bench.run(
        "s => ({ ...s, ran: 1 })", exports="X.execute = (...ops) => async s => ({ ...(await ops[0](s)), mine: ops.length });"
    )
    assert result.state is not None
    assert json.loads(result.state) == {"data": {}, "ran": 1, "mine": 1}


def test_an_uncaught_error_in_a_timer_ends_the_run_and_the_next_one_is_correct(bench: Bench) -> None:
    error = failed(bench, "s => new Promise(() => { setTimeout(() => { throw new Error('late bang') }, 1) })")
    assert (error.name, error.severity, error.message) == ("ExecutionError", "crash", "late bang")
    assert bench.run("s => s").state == b'{"data":{}}'


def test_an_unhandled_rejection_ends_the_run(bench: Bench) -> None:
    error = failed(bench, "s => { Promise.reject(new Error('lost')); return new Promise(() => {}) }")
    assert (error.name, error.message) == ("ExecutionError", "lost")


def test_a_rejection_after_the_end_does_not_reach_the_next_run(bench: Bench) -> None:
    assert bench.run("s => { setTimeout(() => Promise.reject(new Error('x')), 0); return s }").error is None
    bench.engine.end("attempt")
    assert bench.run("s => s").error is None


def test_the_chain_helper_gives_error_and_state_to_the_adjacent_catch(bench: Bench) -> None:
    chain = "D(s => { throw new Error('x') }, p => p.then(s => ({ ...s, then: 1 })), (e, s) => ({ ...s, caught: e.message }))"
    result = bench.run(chain)
    assert result.state is not None
    assert json.loads(result.state) == {"data": {}, "caught": "x", "then": 1}


def test_a_dynamic_import_fails_the_run(bench: Bench) -> None:
    error = failed(bench, "async s => { await import('fs'); return s }")
    assert (error.name, error.subtype) == ("RuntimeError", "TypeError")


def test_secrets_cannot_be_read_from_a_stack_longer_than_its_bound(bench: Bench) -> None:
    error = failed(bench, "s => { throw new TypeError('x'.repeat(10000)) }")
    assert len(error.stack) <= 4000


def test_the_report_in_the_state_holds_no_secret(bench: Bench) -> None:
    result = bench.run(
        "s => { throw new TypeError('refused: ' + s.configuration.token + ' (' + s.configuration.token + ')') }",
        configuration=b'{"token":"s3cr3t"}',
        secrets=("s3cr3t",),
    )
    assert result.state is not None
    assert json.loads(result.state)["errors"]["a"]["message"] == "TypeError: refused: **** (****)"


@pytest.mark.parametrize("late", ["Promise.reject(new Error('late'))", "(async () => { throw new Error('late') })()"])
def test_a_promise_that_is_rejected_with_the_last_breath_of_a_run_ends_it(bench: Bench, late: str) -> None:
    error = failed(bench, f"s => {{ {late}; return s }}")
    assert (error.name, error.severity, error.message) == ("ExecutionError", "crash", "late")
    assert bench.run("s => s").state == b'{"data":{}}'


def test_a_rejection_that_is_handled_in_time_ends_nothing(bench: Bench) -> None:
    assert bench.run("async s => { const p = Promise.reject(new Error('x')); await null; await p.catch(() => {}); return s }").error is None


@pytest.mark.parametrize(
    "operation",
    [
        "s => { Object.freeze(s); throw new Error('boo') }",
        "s => { s.errors = Object.freeze({}); throw new Error('boo') }",
        "s => { Object.defineProperty(s, 'errors', { get: () => ({}), configurable: false }); throw new Error('boo') }",
    ],
)
def test_a_state_that_cannot_be_written_to_still_carries_the_report(bench: Bench, operation: str) -> None:
    result = bench.run(operation)
    assert result.error is not None
    assert result.error.message == "boo"
    assert result.state is not None
    assert json.loads(result.state)["errors"]["a"]["message"] == "boo"


@pytest.mark.parametrize(
    "thrown",
    ["{ get message() { throw new Error('no') } }", "new Proxy({}, { get() { throw new Error('no') } })", "Object.create(null)"],
)
def test_a_value_that_throws_when_it_is_read_is_an_error_of_the_job(bench: Bench, thrown: str) -> None:
    error = failed(bench, f"s => {{ throw {thrown} }}")
    assert (error.name, error.severity) == ("JobError", "fail")


def test_lines_end_where_javascript_ends_them(bench: Bench) -> None:
    source = "const a = 1;\u2028O.push(()=>(s => s.a.b.c));"
    error = failed(bench, script=script(body=source), source=source)
    assert (error.line, error.src) == (2, "O.push(()=>(s => s.a.b.c));")


def test_details_of_an_error_nested_beyond_reason_are_left_out(bench: Bench) -> None:
    deep = "let d = {}; for (let i = 0; i < 1500; i++) d = { d }"
    error = failed(bench, f"s => {{ {deep}; throw Object.assign(new Error('x'), {{ severity: 'crash', details: d }}) }}")
    assert (error.message, error.details) == ("Error: x", None)


def test_an_error_without_a_place_in_the_job_names_the_operation_that_was_running(bench: Bench) -> None:
    refused = "async s => { const e = new Error('connect ECONNREFUSED'); e.stack = e.stack.split('\\n')[0]; throw e }"
    result = bench.run("s => s", refused, operations=(("fn", 1), ("get", 4)))
    assert result.error is not None
    assert (result.error.name, result.error.operation, result.error.operation_line) == ("JobError", "get", 4)
    assert result.state is not None
    assert set(json.loads(result.state)["errors"]["a"]) == {"source", "name", "severity", "message"}


def test_an_error_with_a_place_in_the_job_names_no_operation(bench: Bench) -> None:
    error = failed(bench, "s => { throw new Error('x') }", operations=(("fn", 1),))
    assert (error.operation, error.operation_line, error.line) == (None, None, 1)


@pytest.mark.parametrize(
    ("thrown", "shown"), [("{ code: 5 }", {"code": 5}), ("5", 5), ("Object.assign(new Error(''), { code: 'E' })", {"code": "E"})]
)
def test_a_value_without_message_is_told_but_not_kept_in_the_state(bench: Bench, thrown: str, shown: object) -> None:
    result = bench.run(f"s => {{ throw {thrown} }}")
    assert result.error is not None
    assert (result.error.message, result.error.details) == ("", shown)
    assert "details" not in result.error.report
    assert result.state is not None
    assert json.loads(result.state)["errors"]["a"] == {"source": "runtime", "name": "JobError", "severity": "fail", "message": ""}
