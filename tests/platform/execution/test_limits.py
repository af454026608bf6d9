"""Limits come from the server, so that worker and server never disagree."""

from __future__ import annotations

import json

from kivuko.platform.execution import Limits, limits_of


def test_defaults_are_at_least_those_of_the_requirements() -> None:
    limits = Limits()
    assert limits.attempt_timeout_ms >= 300_000
    assert limits.attempt_memory_mb >= 512
    assert limits.payload_limit_mb >= 10


def test_a_start_may_ask_for_others() -> None:
    asked = b'{"run_timeout_ms":1500,"payload_limit_mb":1,"job_log_level":"info","unknown":1,"run_memory_limit_mb":null}'
    limits = limits_of(Limits(), asked, job_logs=True, output_dataclips=True)
    assert (limits.attempt_timeout_ms, limits.payload_limit_mb, limits.job_log_level) == (1500, 1, "info")
    assert limits.attempt_memory_mb == Limits().attempt_memory_mb
    assert limits.as_options()["output_dataclips"] is True


def test_on_the_wire_they_have_the_words_of_openfn_whose_runs_are_attempts() -> None:
    options = Limits(attempt_timeout_ms=7, attempt_memory_mb=8).as_options()
    assert (options["run_timeout_ms"], options["run_memory_limit_mb"]) == (7, 8)
    back = limits_of(Limits(), json.dumps(options).encode(), job_logs=True, output_dataclips=True)
    assert (back.attempt_timeout_ms, back.attempt_memory_mb) == (7, 8)


def test_a_workflow_without_job_logs_gets_none() -> None:
    assert limits_of(Limits(), b'{"job_log_level":"debug"}', job_logs=False, output_dataclips=True).job_log_level == "none"


def test_outputs_are_sent_only_when_both_want_them() -> None:
    assert limits_of(Limits(), b'{"output_dataclips":false}', job_logs=True, output_dataclips=True).output_dataclips is False
    assert limits_of(Limits(), b'{"output_dataclips":true}', job_logs=True, output_dataclips=False).output_dataclips is False


def test_a_token_outlives_the_run_by_the_time_that_installing_takes() -> None:
    assert Limits(attempt_timeout_ms=60_000, grace_s=600).token_lives_s == 660
