"""``import kivuko``: its public names, its examples, and what it does with jobs and workflows."""

from __future__ import annotations

import doctest
import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import kivuko
from kivuko import errors
from kivuko.engines import RunRequest
from kivuko.errors import EngineClosed

PUBLIC = """
AdaptorProblem AttemptResult CompileError Credentials Edge EngineError ExecutionOptions ExecutionPlan InputError Job KivukoError LogRecord
PlanError Program Result RunRecord Session Trigger Workflow __version__ compile load run text_line
"""
DOUBLE = "export default [state => ({ n: state.data.n * 2 })]"


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[kivuko.Session]:
    with kivuko.Session(repo=tmp_path_factory.mktemp("repo"), install=False) as opened:
        yield opened


def test_the_public_names_are_pinned() -> None:
    assert sorted(kivuko.__all__) == sorted(PUBLIC.split())
    assert dir(kivuko) == sorted(PUBLIC.split())
    assert all(getattr(kivuko, name) is not None for name in kivuko.__all__)


def test_unknown_names_are_refused_as_in_any_module() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nope'"):
        _ = kivuko.nope  # type: ignore[attr-defined]


def test_errors_are_the_ones_of_the_error_tree() -> None:
    assert kivuko.KivukoError is errors.KivukoError
    assert issubclass(kivuko.PlanError, kivuko.InputError)


def test_importing_the_package_imports_nothing_else_of_it() -> None:
    code = "import sys, kivuko; print([name for name in sys.modules if name.startswith('kivuko')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['kivuko']"


@pytest.mark.parametrize("name", ["kivuko", "kivuko.library"])
def test_the_examples_of_the_library_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENFN_REPO_DIR", str(tmp_path))
    results = doctest.testmod(importlib.import_module(name))
    assert results.attempted > 0
    assert results.failed == 0


def test_a_source_is_run(session: kivuko.Session) -> None:
    result = session.run(DOUBLE, {"data": {"n": 21}})
    assert (result.state, result.ok, result.reason, result.error) == ({"n": 42}, True, "success", None)


def test_a_text_is_never_taken_for_a_path(session: kivuko.Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "job.js").write_text(DOUBLE)
    monkeypatch.chdir(tmp_path)
    result = session.run("job.js")
    assert result.error == "RuntimeCrash: ReferenceError: job is not defined"


def test_the_path_of_a_job_is_run(session: kivuko.Session, tmp_path: Path) -> None:
    (tmp_path / "job.js").write_text(DOUBLE)
    assert session.run(tmp_path / "job.js", {"data": {"n": 2}}).state == {"n": 4}


def test_the_path_of_a_workflow_is_run_with_the_files_it_names(session: kivuko.Session, tmp_path: Path) -> None:
    (tmp_path / "double.js").write_text(DOUBLE)
    (tmp_path / "flow.json").write_text(json.dumps({"steps": [{"id": "a", "expression": "double.js"}]}))
    assert session.run(tmp_path / "flow.json", {"data": {"n": 3}}).state == {"n": 6}


def test_a_plan_as_json_and_a_workflow_of_values_are_run(session: kivuko.Session) -> None:
    job = kivuko.Job("a", DOUBLE)
    for program in ({"steps": [{"id": "a", "expression": DOUBLE}]}, kivuko.Workflow((job,)), kivuko.ExecutionPlan(kivuko.Workflow((job,)))):
        assert session.run(program, {"data": {"n": 1}}).state == {"n": 2}


def test_without_a_state_data_is_empty(session: kivuko.Session) -> None:
    assert session.run("export default [state => state]").state == {"data": {}}


def test_a_job_that_gives_nothing_has_no_state(session: kivuko.Session) -> None:
    assert session.run("export default [() => {}]").state is None


def test_a_failure_is_in_the_result(session: kivuko.Session) -> None:
    result = session.run("export default [() => { throw new Error('oops') }]")
    assert not result.ok
    assert (result.reason, result.error) == ("fail", "JobError: oops")
    assert result.attempt.failed_jobs == ("job-1",)


def test_log_lines_are_heard_without_secrets(session: kivuko.Session) -> None:
    heard: list[kivuko.LogRecord] = []
    step = {"id": "a", "expression": "export default [s => { console.log(s.configuration.token, 1); return s }]", "configuration": "mine"}
    session.run({"steps": [step]}, credentials={"mine": {"token": "TOP-SECRET"}}, on_log=heard.append)
    assert "[JOB] ℹ **** 1" in [kivuko.text_line(record) for record in heard]


def test_credentials_may_come_from_a_function(session: kivuko.Session) -> None:
    step = {"id": "a", "expression": "export default [s => ({ k: s.configuration.k })]", "configuration": "mine"}
    assert session.run({"steps": [step]}, credentials=lambda identity: {"k": identity}).state == {"k": "mine"}


def test_a_credential_that_was_not_given_is_named(session: kivuko.Session) -> None:
    step = {"id": "a", "expression": DOUBLE, "configuration": "mine"}
    result = session.run({"steps": [step]}, credentials={"other": {}})
    assert result.error == "CredentialLoadError: Failed to load credential mine: there is none among those given (other)"


def test_the_time_limit_stops_a_busy_loop(session: kivuko.Session) -> None:
    result = session.run("export default [() => { for (;;); }]", timeout_ms=200)
    assert (result.reason, result.error) == ("kill", "TimeoutError: Job took longer than 200ms to complete")


def test_an_adaptor_in_a_folder_is_used(session: kivuko.Session, tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"name": "@openfn/language-mine", "version": "1.0.0", "main": "index.js", "type": "module"}')
    (tmp_path / "index.js").write_text("export const put = (key, value) => state => ({ ...state, [key]: value });\n")
    adaptor = f"@openfn/language-mine={tmp_path}"
    assert session.run("put('k', 7)", adaptors=[adaptor]).state == {"data": {}, "k": 7}
    module = session.compile("put('k', 7)", [adaptor])
    assert 'import { put } from "@openfn/language-mine"' in module


def test_a_missing_adaptor_crashes_the_job_that_needs_it(session: kivuko.Session) -> None:
    result = session.run("fn(s => s)", adaptors=["common@1.0.0"])
    assert result.error == 'ImportError: Failed to import module "common"'


def test_a_job_that_does_not_compile_is_refused(session: kivuko.Session) -> None:
    with pytest.raises(kivuko.CompileError):
        session.run("fn(")


def test_adaptors_belong_to_single_jobs() -> None:
    with pytest.raises(kivuko.InputError, match="Adaptors were given for a workflow"):
        kivuko.load({"steps": []}, adaptors=["http"])


@pytest.mark.parametrize("state", [{"x": float("nan")}, {"x": object()}, {1, 2}])
def test_a_state_that_is_no_json_is_refused(session: kivuko.Session, state: object) -> None:
    with pytest.raises(kivuko.InputError, match="no JSON"):
        session.run(DOUBLE, state)


def test_a_final_state_that_is_too_deep_for_values_is_an_error_with_advice(session: kivuko.Session) -> None:
    job = "export default [() => { let deep = {}; for (let n = 0; n < 3000; n += 1) deep = { deep }; return deep }]"
    with pytest.raises(kivuko.InputError, match="nested too deeply") as caught:
        session.run(job)
    assert "flatter" in caught.value.fix
    assert session.run(DOUBLE, {"data": {"n": 1}}).state == {"n": 2}


def key_texts(session: kivuko.Session, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The credential part of the key of each host that is asked to run a job."""
    seen: list[str] = []
    run = session._engine.run

    def watch(request: RunRequest, **options: object) -> object:
        seen.append(request.key.credential)
        return run(request, **options)  # type: ignore[arg-type]  # whatever the runtime gives

    monkeypatch.setattr(session._engine, "run", watch)
    return seen


def test_different_credentials_never_share_a_process(session: kivuko.Session, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = key_texts(session, monkeypatch)
    steps = {"steps": [{"id": "a", "expression": DOUBLE, "configuration": "mine"}]}
    for credential in ({"k": 1}, {"k": 2}, {"k": 1}):
        session.run(steps, {"data": {"n": 1}}, credentials={"mine": credential})
    first, second, again = seen
    assert first == again != second
    assert "" not in seen


def test_configurations_in_the_plan_are_told_apart_too(session: kivuko.Session, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = key_texts(session, monkeypatch)
    for secret in ("x", "y"):
        session.run({"steps": [{"id": "a", "expression": DOUBLE, "configuration": {"k": secret}}]}, {"data": {"n": 1}})
    session.run(DOUBLE, {"data": {"n": 1}})
    assert len(set(seen)) == 3
    assert seen[2] == ""


def test_a_single_text_is_one_adaptor(session: kivuko.Session) -> None:
    assert kivuko.load("fn(s => s)", adaptors="common@3.3.4").workflow.jobs[0].adaptors == ("common@3.3.4",)
    with pytest.raises(kivuko.AdaptorProblem, match="common"):
        session.compile("fn(s => s)", "common@0.0.1")


@pytest.mark.parametrize("adaptors", [[5], 5, None, ["common", None]])
def test_adaptors_that_are_no_texts_are_refused(session: kivuko.Session, adaptors: Any) -> None:
    for use in (kivuko.load, session.run, session.compile):
        with pytest.raises(kivuko.InputError, match="Adaptors are texts"):
            use("fn(s => s)", adaptors=adaptors)


@pytest.mark.parametrize("options", [{"timeout_ms": "1"}, {"timeout_ms": -1}, {"timeout_ms": 1.5}, {"timeout_ms": True}, {"on_log": 5}])
def test_options_of_another_kind_are_refused_and_named(session: kivuko.Session, options: dict[str, Any]) -> None:
    (name,) = options
    with pytest.raises(kivuko.InputError, match=f"{name} cannot be") as caught:
        session.run(DOUBLE, **options)
    assert caught.value.fix.startswith("Give a ")


@pytest.mark.parametrize(
    ("credentials", "message"),
    [
        (5, "credentials cannot be of type int"),
        (["mine"], "credentials cannot be of type list"),
        ({"mine": 5}, "The credential mine is of type int"),
        ({"mine": "TOP-SECRET"}, "The credential mine is of type str"),
        ({"mine": {"k": object()}}, "The credential mine is no JSON"),
    ],
)
def test_credentials_of_another_kind_are_refused_without_their_values(session: kivuko.Session, credentials: Any, message: str) -> None:
    with pytest.raises(kivuko.InputError, match=message) as caught:
        session.run(DOUBLE, credentials=credentials)
    assert "TOP-SECRET" not in str(caught.value)


def fails_with_key_error(identity: str) -> dict[str, object]:
    raise KeyError(identity)


@pytest.mark.parametrize(
    ("resolver", "said"),
    [
        (fails_with_key_error, "KeyError: 'mine'"),
        (lambda identity: 5, "The credential mine is of type int"),
        (lambda identity: None, "The credential mine is of type NoneType"),
    ],
)
def test_a_credentials_function_that_gives_none_ends_the_attempt(session: kivuko.Session, resolver: Any, said: str) -> None:
    step = {"id": "a", "expression": DOUBLE, "configuration": "mine"}
    result = session.run({"steps": [step]}, credentials=resolver)
    assert (result.reason, result.error) == ("exception", f"CredentialLoadError: Failed to load credential mine: {said}")
    assert result.state is None


def test_a_session_is_of_no_use_after_its_block(tmp_path: Path) -> None:
    with kivuko.Session(repo=tmp_path, install=False) as session:
        pass
    with pytest.raises(EngineClosed, match="The session is closed"):
        session.run(DOUBLE)
    with pytest.raises(EngineClosed, match="The session is closed"):
        session.compile(DOUBLE)


@pytest.mark.parametrize("state", [[1], "text", 5, True])
def test_a_state_that_is_no_object_is_refused_as_on_the_command_line(session: kivuko.Session, state: object) -> None:
    with pytest.raises(kivuko.InputError, match="no object"):
        session.run(DOUBLE, state)


def test_after_a_crash_there_is_no_state(session: kivuko.Session) -> None:
    result = session.run("nope()")
    assert (result.reason, result.state) == ("crash", None)
