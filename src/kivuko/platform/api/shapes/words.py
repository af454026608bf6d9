"""The words of the wire for the records' enumerations (spec/api.md §4)."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Literal

from kivuko.records import Cause, JobResult

__all__ = [
    "AttemptStateWord",
    "CauseWord",
    "JobStateWord",
    "LevelWord",
    "OrderStateWord",
    "ReasonWord",
    "cause_of",
    "job_state",
    "result_of",
    "word",
]

AttemptStateWord = Literal[
    "queued", "parked", "claimed", "started", "success", "failed", "crashed", "cancelled", "killed", "exception", "lost"
]
OrderStateWord = Literal["pending", "running", "rejected", "success", "failed", "crashed", "cancelled", "killed", "exception", "lost"]
CauseWord = Literal["message", "webhook", "cron", "interval", "success", "failure", "manual", "rerun", "kafka", "edge", "retry"]
ReasonWord = Literal["success", "fail", "crash", "cancel", "kill", "exception", "lost"]
LevelWord = Literal["debug", "info", "warn", "error", "success", "always"]
JobStateWord = Literal["success", "failure", "in progress"]


def word(member: IntEnum) -> Any:
    """A member's word."""
    return member.name.lower()


def cause_of(text: str) -> Cause:
    """The cause that a word names."""
    return Cause[text.upper()]


def job_state(result: JobResult) -> JobStateWord:
    """The seeds' words: there are exactly three (R-070)."""
    words: dict[JobResult, JobStateWord] = {
        JobResult.SUCCESS: "success",
        JobResult.FAILURE: "failure",
        JobResult.IN_PROGRESS: "in progress",
    }
    return words[result]


def result_of(text: str) -> JobResult:
    """The result that a word names."""
    return JobResult[text.upper().replace(" ", "_")]
