"""Keys of hosts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kivuko.engines.run import ModuleFiles
from kivuko.runtime import AttemptSettings
from kivuko.runtime.hosts import credential_text, host_key, run_limits, step_timeout_ms

MODULES = [ModuleFiles(f"m{number}", f"m{number}@1", "bundle", f"/store/{number}") for number in range(5)]


@given(st.permutations(MODULES))
def test_the_order_of_modules_makes_no_other_host(modules: list[ModuleFiles]) -> None:
    assert host_key(AttemptSettings(), "c", modules) == host_key(AttemptSettings(), "c", MODULES)


def test_a_module_is_loaded_once() -> None:
    assert host_key(AttemptSettings(), "", MODULES[:1] * 3).modules == (MODULES[0],)


def test_no_configuration_is_a_credential_of_its_own() -> None:
    apart = AttemptSettings(one_host=False)
    assert credential_text(apart, None) == ""
    assert credential_text(apart, b"{}") != ""
    assert credential_text(AttemptSettings(), b"{}") == ""


@pytest.mark.parametrize(("given_ms", "planned_ms", "limit_ms"), [(None, None, 300_000), (5, 7, 5), (None, 7, 7), (0, 7, None)])
def test_time_limits_in_order_of_precedence(given_ms: int | None, planned_ms: int | None, limit_ms: int | None) -> None:
    assert step_timeout_ms(AttemptSettings(timeout_ms=given_ms), planned_ms) == limit_ms


def test_limits_leave_the_cutting_of_messages_to_the_runtime() -> None:
    limits = run_limits(AttemptSettings(memory_mb=7, state_mb=3, log_bytes=9, log_message_bytes=2), 11)
    assert (limits.timeout_ms, limits.memory_mb, limits.state_mb, limits.log_bytes) == (11, 7, 3, 9)
