"""Credentials of an Attempt, and what becomes of their secrets."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from kivuko.engines.run import LogLine, RunRequest, RunResult
from kivuko.errors import FileMissing, HostFailed
from kivuko.runtime import Outside, execute
from kivuko.value import replace

from .conftest import Desk, ScriptedEngine, failure, job

SECRET = "TOP-SECRET"


def test_a_credential_id_is_looked_up_once(desk: Desk) -> None:
    asked: list[str] = []

    def look_up(identity: str) -> Mapping[str, object]:
        asked.append(identity)
        return {"password": SECRET}

    desk.credentials = look_up
    desk.execute([job("a", "b", configuration="cred-1"), job("b", configuration="cred-1")])
    assert asked == ["cred-1"]
    assert [json.loads(request.configuration or b"") for request in desk.engine.requests] == [{"password": SECRET}] * 2


def test_without_a_resolver_a_credential_is_empty(desk: Desk) -> None:
    desk.execute([job("a", configuration="cred-1")])
    assert desk.engine.requests[0].configuration == b"{}"


def test_credentials_that_cannot_be_loaded_end_the_attempt_before_it_begins(desk: Desk) -> None:
    def look_up(identity: str) -> Mapping[str, object]:
        raise FileMissing(f"no {identity}")

    desk.credentials = look_up
    result = desk.execute([job("a", "b", configuration="x"), job("b", configuration="y")])
    assert desk.order == []
    assert (result.reason, result.error_type, result.has_output) == ("exception", "CredentialLoadError", False)
    assert result.error_message == "Failed to load credential x: no x\nFailed to load credential y: no y"


def said(desk: Desk, plan: list[object], *message: object, text: tuple[str | None, ...] | None = None, state: object = None) -> str:
    desk.engine.lines["a"] = [LogLine("info", "JOB", message, 0, text)]
    desk.execute(plan, state)
    return "\n".join(desk.log)


@pytest.mark.parametrize("message", [f"t={SECRET}", {"deep": [SECRET]}, {SECRET: 1}])
def test_secrets_of_the_jobs_configuration_are_taken_out_of_its_log(desk: Desk, message: object) -> None:
    log = said(desk, [job("a", configuration={"token": SECRET})], message)
    assert SECRET not in log
    assert "****" in log


def test_secrets_of_other_jobs_and_of_the_workflow_are_taken_out_too(desk: Desk) -> None:
    plan = {"workflow": {"steps": [job("a", "b"), job("b", configuration={"k": SECRET})], "credentials": {"api_key": "SHARED-SECRET"}}}
    desk.engine.lines["a"] = [LogLine("info", "JOB", (SECRET, "SHARED-SECRET"), 0)]
    desk.execute(plan)
    assert "[JOB] ℹ **** ****" in desk.log


def test_secrets_that_came_with_the_input_are_taken_out(desk: Desk) -> None:
    log = said(desk, [job("a")], SECRET, state={"configuration": {"token": SECRET}})
    assert SECRET not in log


def test_the_readable_form_is_scrubbed_as_well(desk: Desk) -> None:
    log = said(desk, [job("a", configuration={"token": SECRET})], {"name": "Error"}, text=(f"Error: {SECRET}",))
    assert SECRET not in log


def test_credential_ids_stay_readable(desk: Desk) -> None:
    desk.credentials = lambda identity: {"token": SECRET}
    assert "cred-12345" in said(desk, [job("a", configuration="cred-12345")], "using cred-12345")


def test_secrets_are_taken_out_of_errors_records_and_events(desk: Desk) -> None:
    error = failure(f"401 for {SECRET}", "AdaptorError", details={"sent": SECRET}, stack=f"Error: {SECRET}")
    desk.engine.jobs["a"] = lambda state, request: RunResult(b"{}", error)
    result = desk.execute([job("a", configuration={"token": SECRET})])
    assert SECRET not in repr(result)
    assert SECRET not in repr(desk.events)
    assert SECRET not in "\n".join(desk.log)
    assert result.error_message == "401 for ****"


def test_secrets_are_taken_out_of_what_a_failed_host_said(desk: Desk) -> None:
    desk.engine.jobs["a"] = lambda state, request: HostFailed("A host ended", details=f"said {SECRET}")
    result = desk.execute([job("a", configuration={"token": SECRET})])
    assert result.error_type == "ExecutionError"
    assert "[R/T] ✘ said ****" in desk.log
    assert SECRET not in repr(result)


def test_a_condition_that_throws_does_not_tell_a_secret(desk: Desk) -> None:
    desk.engine.jobs["a"] = lambda state, request: RunResult(b"{}", edge_error=("b", f"Error: {SECRET}"))
    result = desk.execute([job("a", "b", configuration={"token": SECRET}), job("b")])
    assert result.error_message == "a->b: Error: ****"
    assert SECRET not in "\n".join(desk.log)


def test_long_messages_are_cut_after_secrets_were_taken_out(desk: Desk) -> None:
    desk.settings = replace(desk.settings, log_message_bytes=10)
    log = said(desk, [job("a", configuration={"token": SECRET})], f"1234567{SECRET}")
    assert "TOP" not in log
    assert "1234567***… (cut)" in log


def test_the_schema_of_the_adaptor_tells_what_is_not_secret(desk: Desk) -> None:
    desk.adaptor("mine", "fn")
    desk.engine.lines["a"] = [LogLine("info", "JOB", ("production", SECRET), 0)]
    schema = {"properties": {"environment": {"enum": ["production", "sandbox"]}}}
    program = desk.prepare({"steps": [job("a", adaptor="mine", configuration={"environment": "production", "token": SECRET})]})
    outside = Outside(schemas={"mine": schema}.get, on_log=desk.records.append)
    execute(program, b"{}", desk.engine, outside=outside)
    assert "[JOB] ℹ production ****" in desk.log


@pytest.mark.parametrize("state", [b'{"configuration"', b'["configuration"]', b'{"configuration":' + b"[" * 100_000])
def test_an_input_that_cannot_be_read_has_no_secrets_and_is_left_to_the_host(desk: Desk, state: bytes) -> None:
    program = desk.prepare({"steps": [{"id": "t", "next": "a"}, job("a")]})
    seen: list[bytes] = []

    class Taking(ScriptedEngine):
        def run(self, request: RunRequest, **_: object) -> RunResult:
            seen.append(request.state)
            return RunResult(b"{}")

    execute(program, state, Taking())
    assert seen == [state]
