"""What those outside hear of what went wrong inside."""

from __future__ import annotations

import json

import pytest
from structlog.testing import capture_logs

from kivuko.errors import RecordsUnavailable
from kivuko.server.answers import _Seldom, problem
from kivuko.server.lanes.ingest.webhook_refusal import webhook_refusal


def _caused() -> RecordsUnavailable:
    try:
        raise OSError('connection to server at "10.1.2.3", port 5432 failed')
    except OSError as cause:
        error = RecordsUnavailable(f"PostgreSQL cannot be reached: {cause}")
        error.__cause__ = cause
        return error


def test_what_a_driver_says_is_not_told_to_senders() -> None:
    told = json.loads(problem(_caused(), "r").body)
    assert (told["code"], told["detail"]) == ("database_unavailable", "the database cannot be used just now")
    assert "disk" not in told["action"]
    assert "10.1.2.3" not in bytes(webhook_refusal(_caused(), "r").body).decode()


def test_the_log_says_now_and_then_that_requests_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = [100.0]
    monkeypatch.setattr("kivuko.server.answers.time.monotonic", lambda: now_s[0])
    monkeypatch.setattr("kivuko.server.answers._refusals_told", _Seldom(5.0))
    with capture_logs() as logged:
        for moment_s in (100.0, 100.1, 104.9, 105.0, 105.1):
            now_s[0] = moment_s
            problem(_caused(), "r")
    assert [("10.1.2.3" in entry["reason"], entry["log_level"]) for entry in logged] == [(True, "warning")] * 2


def test_what_kivuko_says_itself_is_told() -> None:
    unknown = RecordsUnavailable("whether the message was taken is not known")
    assert json.loads(problem(unknown, "r").body)["detail"] == "whether the message was taken is not known"
