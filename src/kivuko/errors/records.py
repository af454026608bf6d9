"""The execution records refuse, or cannot be reached."""

from __future__ import annotations

from kivuko.errors.root import KivukoError

__all__ = [
    "BodyWiped",
    "MoveRefused",
    "RecordMissing",
    "RecordsError",
    "RecordsUnavailable",
    "StaleClaim",
    "TooSoon",
]


class RecordsError(KivukoError):
    """The execution records refuse what was asked."""

    code = "records"


class RecordsUnavailable(RecordsError):
    """The database cannot be reached or written to just now; nothing was half accepted."""

    code = "records_unavailable"
    may_be_retried = True
    fix = "Look at the disk's space and the database server; work goes on by itself when the database is back."

    @property
    def for_outsiders(self) -> RecordsUnavailable:
        """The same for those who only send: what a driver or the file system has said (the cause) is for operators."""
        if self.__cause__ is None:
            return self
        return RecordsUnavailable("the database cannot be used just now", fix="Try again in a few seconds.")


class RecordMissing(RecordsError):
    """There is no such record."""

    code = "record_missing"
    fix = "It may have been deleted by the project's retention; check the id."


class BodyWiped(RecordsError):
    """The body that is needed was wiped."""

    code = "body_wiped"
    fix = "Start with another input: retention or zero persistence took this one away."


class MoveRefused(RecordsError):
    """An Attempt cannot go from its state to the one asked for."""

    code = "move_refused"


class StaleClaim(RecordsError):
    """A report comes from a worker that no longer owns the Attempt."""

    code = "stale_claim"
    fix = "Stop working on it: another worker does."


class TooSoon(RecordsError):
    """This job was started for this message less than ten seconds ago.

    ``retry_after_s`` says how long to wait; ``run_id`` is the Run that was started, as text.
    """

    code = "too_soon"
    may_be_retried = True
    fix = "Wait a few seconds, or look at the run that is under way."

    def __init__(self, message: str = "", *, retry_after_s: float, run_id: str, fix: str = "", details: str = "") -> None:
        super().__init__(message, fix=fix, details=details)
        self.retry_after_s = retry_after_s
        self.run_id = run_id
