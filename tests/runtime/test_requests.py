"""What a host is asked to do."""

from __future__ import annotations

import json

import pytest

from kivuko.engines.run import EgressPolicy, Isolation, RunRequest
from kivuko.value import replace

from .conftest import Desk, job


def only(desk: Desk) -> RunRequest:
    (request,) = desk.engine.requests
    return request


def test_a_request_holds_all_of_a_job(desk: Desk) -> None:
    desk.adaptor("common", "fn")
    step = job("a", {"b": "state.x", "c": True, "d": False}, name="Fetch", adaptor="common", state={"data": 1}, configuration={"k": 1})
    desk.engine.conditions = {"state.x": lambda state: False}
    desk.execute(
        {"workflow": {"steps": [step, job("b"), job("c"), job("d")], "globals": "export const g = 1", "credentials": {"shared": 2}}}
    )
    request = desk.engine.requests[0]
    assert (request.job_id, request.job_name, request.source) == ("a", "Fetch", "fn(s => s)")
    assert request.operations == (("fn", 1),)
    assert request.modules == {"common": "common@1.0.0"}
    assert request.execute_from == ("common",)
    assert request.edges == (("b", "state.x"), ("c", True))
    assert json.loads(request.default_state or b"") == {"data": 1}
    assert json.loads(request.configuration or b"") == {"k": 1}
    assert json.loads(request.credentials or b"") == {"shared": 2}
    assert request.globals_script is not None
    assert request.remove_keys == ("configuration",)
    assert request.compiled


def test_settings_reach_the_host(desk: Desk) -> None:
    egress = EgressPolicy(blocked=("10.0.0.0/8",))
    desk.settings = replace(
        desk.settings,
        project="p",
        attempt="7",
        memory_mb=100,
        state_mb=5,
        log_bytes=10,
        log_message_bytes=3,
        remove_keys=("configuration", "response"),
        immutable=True,
        debug=True,
        egress=egress,
        isolation=Isolation.ATTEMPT,
    )
    desk.execute([job("a")])
    request = only(desk)
    assert (request.key.project, request.attempt, request.egress, request.isolation) == ("p", "7", egress, Isolation.ATTEMPT)
    assert (request.limits.memory_mb, request.limits.state_mb, request.limits.log_bytes) == (100, 5, 10)
    assert (request.immutable, request.debug, request.remove_keys) == (True, True, ("configuration", "response"))


@pytest.mark.parametrize(
    ("given", "planned", "limit"), [(None, None, 300_000), (None, 700, 700), (50, 700, 50), (0, 700, None), (None, 0, None)]
)
def test_a_given_time_limit_wins_then_the_plans_then_the_default(
    desk: Desk, given: int | None, planned: int | None, limit: int | None
) -> None:
    desk.settings = replace(desk.settings, timeout_ms=given)
    desk.execute({"workflow": {"steps": [job("a")]}, "options": {"timeout": planned}})
    assert only(desk).limits.timeout_ms == limit


def keys_of(desk: Desk, *configurations: object) -> list[str]:
    names = "abc"[: len(configurations)]
    following = [*names[1:], None]
    steps = [
        job(name, after, configuration=configuration) for name, after, configuration in zip(names, following, configurations, strict=True)
    ]
    desk.execute(steps)
    return [request.key.credential for request in desk.engine.requests]


def test_on_the_command_line_all_credentials_share_a_host(desk: Desk) -> None:
    assert keys_of(desk, {"password": "one-one"}, {"password": "two-two"}) == ["", ""]


def test_on_a_server_each_credential_has_its_own_host_and_no_secret_is_in_the_key(desk: Desk) -> None:
    desk.settings = replace(desk.settings, one_host=False)
    first, second, third = keys_of(desk, {"password": "one-one"}, {"password": "two-two"}, {"password": "one-one"})
    assert first == third != second
    assert "one-one" not in first


def test_jobs_of_one_credential_load_the_modules_of_all_of_them(desk: Desk) -> None:
    desk.settings = replace(desk.settings, one_host=False)
    for name in ("x", "y", "z"):
        desk.adaptor(name, "fn")
    steps = [
        job("a", "b", adaptor="y", configuration={"k": 1}),
        job("b", "c", adaptor="x", configuration={"k": 1}),
        job("c", adaptor="z", configuration={"k": 2}),
    ]
    desk.execute(steps)
    modules = [[module.specifier for module in request.key.modules] for request in desk.engine.requests]
    assert modules == [["x", "y"], ["x", "y"], ["z"]]


def test_two_versions_of_one_adaptor_are_both_loaded(desk: Desk) -> None:
    desk.adaptor("x@1", "fn", version="1")
    desk.adaptor("x@2", "fn", version="2")
    desk.execute([job("a", "b", adaptor="x@1"), job("b", adaptor="x@2")])
    first, second = desk.engine.requests
    assert first.key == second.key
    assert [module.key for module in first.key.modules] == ["x@1@1", "x@2@2"]
