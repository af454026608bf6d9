"""How an Attempt ended, alone and with what came before it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from kivuko.engines import RunError
from kivuko.runtime import AttemptResult
from kivuko.worker.ending import end_row
from kivuko.worker.plan import TakenOver

STORED = {b'{"n":1}': "clip-1"}
EARLIER = {"clip-e": b'{"e":1}'}


def row(result: AttemptResult, before: TakenOver | None = None, most_bytes: int = 1000) -> dict[str, object]:
    """The row, without its time."""
    made = end_row(result, before, executed_ms=5, clip_of=STORED.get, body_of=EARLIER.get, most_bytes=most_bytes)
    assert made.pop("executed_ms") == 5
    assert isinstance(made.pop("timestamp"), str)
    return {key: value for key, value in made.items() if value is not None}


def ended(reason: str = "success", leaves: Mapping[str, bytes] | None = None, error_type: str | None = None) -> AttemptResult:
    """A result."""
    error = RunError(error_type or "", reason, "") if reason not in ("success", "fail") else None  # type: ignore[arg-type]
    return AttemptResult(None, reason, error_type, None, error, leaves=leaves or {})  # type: ignore[arg-type]


def before(reason: str | None = None, *leaves: tuple[str, str]) -> TakenOver:
    """What came before."""
    return TakenOver(reason, "Earlier" if reason else None, None, leaves)


def test_one_leaf_is_named_by_its_dataclip() -> None:
    assert row(ended(leaves={"a": b'{"n":1}'})) == {"reason": "success", "final_dataclip_id": "clip-1"}


def test_a_leaf_that_is_not_stored_is_no_final_state() -> None:
    assert row(ended(leaves={"a": b'{"n":2}'})) == {"reason": "success"}


def test_several_leaves_are_one_state_by_job_without_empty_ones() -> None:
    leaves = {"a": b'{"n":1}', "a-1": b"7", "b": b"{}", "c": b'{"data":{}}'}
    assert row(ended(leaves=leaves)) == {"reason": "success", "final_state": b'{"a":{"n":1},"a-1":7}'}
    assert row(ended(leaves=leaves), most_bytes=10) == {"reason": "success"}


def test_nothing_reached_is_no_final_state() -> None:
    assert row(ended()) == {"reason": "success"}


def test_what_was_cancelled_is_no_kill() -> None:
    assert row(ended("kill", error_type="Cancelled")) == {"reason": "cancel", "error_type": "Cancelled"}


def test_the_only_leaf_may_be_an_earlier_one() -> None:
    assert row(ended(), before(None, ("e", "clip-e"))) == {"reason": "success", "final_dataclip_id": "clip-e"}


def test_leaves_of_all_that_belongs_together() -> None:
    found = row(ended(leaves={"a": b'{"n":1}'}), before(None, ("e", "clip-e"), ("gone", "clip-x"), ("a", "clip-e")))
    assert found == {"reason": "success", "final_state": b'{"e":{"e":1},"a":{"e":1},"a-1":{"n":1}}'}


@pytest.mark.parametrize(
    ("earlier", "now", "reason"),
    [
        ("fail", "success", "fail"),
        ("fail", "fail", "fail"),
        ("fail", "crash", "crash"),
        ("crash", "success", "crash"),
        ("crash", "fail", "crash"),
        ("kill", "crash", "kill"),
        ("exception", "kill", "exception"),
        (None, "fail", "fail"),
    ],
)
def test_the_first_crash_counts_and_else_a_failed_leaf(earlier: str | None, now: str, reason: str) -> None:
    found = row(ended(now, error_type="Later" if now != "success" else None), before(earlier))
    assert found["reason"] == reason
    assert found["error_type"] == ("Earlier" if earlier == reason else "Later")


def test_a_cancel_is_a_cancel_whatever_came_before() -> None:
    assert row(ended("kill", error_type="Cancelled"), before("crash"))["reason"] == "cancel"
