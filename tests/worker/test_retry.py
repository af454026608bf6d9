"""Which failures are tried again, when, and how often (R-149)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kivuko.engines import RunError
from kivuko.worker.retry import RetryPolicy, is_retryable, retry_after_ms

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def failed(message: str = "no", details: object = None, severity: str = "fail", name: str = "AdaptorError") -> RunError:
    """An error as the host reports it."""
    return RunError(name, severity, message, details=details)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "details",
    [
        {"statusCode": 503},
        {"statusCode": 429},
        {"status": 408},
        {"code": "425"},
        {"code": "ECONNREFUSED"},
        {"code": "UND_ERR_HEADERS_TIMEOUT"},
        {"cause": {"code": "ENOTFOUND"}},
        {"details": {"response": {"statusCode": "500"}}},
        {"code": "40P01"},
        {"code": "ER_LOCK_DEADLOCK", "errno": 1213},
        {"number": 1205},
        {"code": "SQLITE_BUSY"},
    ],
)
def test_what_may_pass_is_tried_again(details: Mapping[str, object]) -> None:
    assert is_retryable(failed(details=details))


@pytest.mark.parametrize(
    ("error", "retried"),
    [
        (failed("connect ECONNREFUSED 127.0.0.1:80"), True),
        (failed("socket hang up"), True),
        (failed("GET to http://x returned 502: Bad Gateway"), True),
        (failed("Request failed with status code 429"), True),
        (failed("GET to http://x returned 404: Not Found", {"statusCode": 404}), False),
        (failed("patient 503 has no name"), False),
        (failed("status 600"), False),
        (failed("no", {"statusCode": True}), False),
        (failed("no", "ECONNREFUSED"), False),
        (failed("RuntimeError", {"statusCode": 503}, "crash", "RuntimeCrash"), False),
        (RunError("TimeoutError", "kill", "Job took longer than 5ms to complete"), False),
        (RunError("OOMError", "kill", "Run exceeded maximum memory usage"), False),
    ],
)
def test_everything_else_fails_for_good(error: RunError, retried: bool) -> None:
    assert is_retryable(error) is retried


def test_pauses_grow_up_to_their_bound() -> None:
    policy = RetryPolicy(max_tries=5, backoff_ms=1000, factor=3, jitter=False, max_backoff_ms=10_000)
    error = failed(details={"statusCode": 503})
    assert [policy.delay_ms(error, tries) for tries in range(1, 6)] == [1000, 3000, 9000, 10_000, None]


@given(st.floats(0, 0.999999))
def test_jitter_takes_up_to_a_half(share: float) -> None:
    policy = RetryPolicy(backoff_ms=1000)
    delay = policy.delay_ms(failed(details={"statusCode": 503}), 1, lambda: share)
    assert delay is not None
    assert 500 <= delay <= 1000


@pytest.mark.parametrize(
    ("headers", "after_ms"),
    [
        ({"retry-after": "7"}, 7000),
        ({"Retry-After": "Sat, 21 Nov 2026 12:00:30 GMT"}, 30_000),
        ({"Retry-After": "Sat, 21 Nov 2026 11:00:00 GMT"}, 0),
        ({"retry-after": ["3", "4"]}, 3000),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
def test_what_the_server_asks_for_is_kept(headers: Mapping[str, object], after_ms: int | None) -> None:
    error = failed(details={"statusCode": 503, "headers": headers})
    assert retry_after_ms(error, lambda: NOON) == after_ms


def test_the_longer_of_pause_and_request_counts_up_to_the_bound() -> None:
    policy = RetryPolicy(backoff_ms=1000, jitter=False, max_backoff_ms=60_000)
    assert policy.delay_ms(failed(details={"statusCode": 429, "headers": {"retry-after": "20"}}), 1) == 20_000
    assert policy.delay_ms(failed(details={"statusCode": 429, "headers": {"retry-after": "9999"}}), 1) == 60_000
    assert policy.delay_ms(failed(details={"statusCode": 429, "headers": {"retry-after": "0"}}), 1) == 1000


def test_a_policy_is_read_from_a_plan() -> None:
    read = RetryPolicy.read({"max_tries": 4, "backoff_ms": 10, "factor": 1, "jitter": False, "max_backoff_ms": 50})
    assert read == RetryPolicy(4, 10, 1, False, 50)
    assert RetryPolicy.read({"max_tries": 2}) == RetryPolicy(2)
    assert RetryPolicy.read(None) is None
