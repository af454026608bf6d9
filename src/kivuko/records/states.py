"""The enumerations of the records: what a smallint column means.

Names are the house's (the wire's and OpenFn's differ at the edges only). A number is stored for ever: never reuse or move one.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag

__all__ = [
    "AttemptState",
    "Cause",
    "DataclipKind",
    "Encoding",
    "ExitReason",
    "JobResult",
    "LiveState",
    "LogLevel",
    "Needs",
    "NoticeKind",
    "Once",
    "WorkOrderState",
]


class LiveState(IntEnum):
    """Where an unfinished Attempt stands in the queue."""

    QUEUED = 0
    PARKED = 1
    CLAIMED = 2
    STARTED = 3
    LEAVING = 4
    """Cancelled, but a foreign worker still holds its slot."""


class AttemptState(IntEnum):
    """State of an Attempt; the first four are unfinished."""

    QUEUED = 0
    PARKED = 1
    CLAIMED = 2
    STARTED = 3
    SUCCESS = 10
    FAILED = 11
    CRASHED = 12
    CANCELLED = 13
    KILLED = 14
    EXCEPTION = 15
    LOST = 16

    @property
    def finished(self) -> bool:
        """Whether nothing of the Attempt is left to do (a lost one may still be overruled by a late report)."""
        return self >= AttemptState.SUCCESS


class WorkOrderState(IntEnum):
    """State of a work order: of its unfinished Attempts, else of the Attempt that changed last (platform §1.6)."""

    PENDING = 0
    RUNNING = 1
    REJECTED = 2
    SUCCESS = 10
    FAILED = 11
    CRASHED = 12
    CANCELLED = 13
    KILLED = 14
    EXCEPTION = 15
    LOST = 16


class Cause(IntEnum):
    """Why a work order, an Attempt or a Run exists (R-020 and server-and-data §4.2)."""

    MESSAGE = 0
    WEBHOOK = 1
    CRON = 2
    INTERVAL = 3
    SUCCESS = 4
    FAILURE = 5
    MANUAL = 6
    RERUN = 7
    KAFKA = 8
    EDGE = 9
    RETRY = 10


class ExitReason(IntEnum):
    """How a Run or an Attempt ended (worker-protocol §11; ``LOST`` is the server's own)."""

    SUCCESS = 0
    FAIL = 1
    CRASH = 2
    CANCEL = 3
    KILL = 4
    EXCEPTION = 5
    LOST = 6


class JobResult(IntEnum):
    """A job-state: the result of the last Run of a job for a message. There are exactly three (R-070)."""

    IN_PROGRESS = 0
    SUCCESS = 1
    FAILURE = 2


class LogLevel(IntEnum):
    """Level of a log line."""

    DEBUG = 0
    INFO = 1
    WARN = 2
    ERROR = 3
    SUCCESS = 4
    ALWAYS = 5


class DataclipKind(IntEnum):
    """What a dataclip is."""

    RUN_OUTPUT = 0
    SAVED_INPUT = 1
    SCHEDULE_STATE = 2
    FINAL_STATE = 3
    EDGE_INPUT = 4


class Encoding(IntEnum):
    """How the bytes of a body are stored."""

    RAW = 0
    ZSTD = 1


class Once(IntEnum):
    """Kinds of what may happen only once."""

    TICK = 0
    CHAIN = 1
    IDEMPOTENCY_KEY = 2
    OPERATION = 3


class Needs(IntFlag):
    """What an Attempt asks of a worker, and what a worker can do."""

    NOTHING = 0
    JAVASCRIPT = 1
    PYTHON = 2
    FRONTIER = 4


class NoticeKind(IntEnum):
    """What somebody is to be told about."""

    RUN_FAILED = 0
    ATTEMPT_LOST = 1
    CHAIN_TOO_DEEP = 2
