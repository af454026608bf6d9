"""What an engine asks of a host: one frame out, one answer back, and how a Run's answer is read."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeGuard, TypeVar

from kivuko.engines.frames import BadFrame, Frame, state_frame
from kivuko.engines.host import Profile
from kivuko.engines.run import HostKey, Limits, LogLevel, LogLine, RunError, RunRequest, RunResult, Severity
from kivuko.errors import KivukoError
from kivuko.value import value

__all__ = ["Cancel", "Errand", "HostAfterRun", "OnLog", "read_log_line", "read_run", "run_frame"]

OnLog = Callable[[LogLine], None]
LEVELS = {"debug", "info", "log", "success", "always", "warn", "error", "print"}
SOURCES = {"JOB", "ADA", "R/T"}
SEVERITIES = {"fail", "crash", "kill", "exception"}
NO_LIMITS = Limits()
T = TypeVar("T")
LARGEST_NUMBER = 1 << 53


class Cancel:
    """A handle on a Run from outside, to stop it or to slow it down. Its methods may be called from any thread."""

    def __init__(self) -> None:
        self.asked = False
        self.held = False
        self.wake: Callable[[], None] | None = None

    def cancel(self) -> None:
        """Stops the Run as soon as the engine notices; at once if it is waiting."""
        self.asked = True
        self._tell()

    def hold(self) -> None:
        """Leaves log lines in the host's pipe until ``release``: a job that writes too many of them waits for whoever stores them."""
        self.held = True
        self._tell()

    def release(self) -> None:
        """Ends ``hold``."""
        self.held = False
        self._tell()

    def _tell(self) -> None:
        wake = self.wake
        if wake is not None:
            wake()


class Errand:
    """One piece of work for a host of ``key``: the frames to send, the type of frame that answers it, and what became of it.

    A Run (answer ``d``) ends with a ``result``, any other errand with a ``reply``; both with a ``problem`` when the engine failed.
    """

    def __init__(
        self,
        key: HostKey,
        profile: Profile,
        attempt: str,
        answer: str,
        frames: Callable[[], tuple[bytes, ...]],
        *,
        timeout_ms: int | None = None,
        limits: Limits = NO_LIMITS,
        number: int = 0,
        on_log: OnLog | None = None,
        on_piece: Callable[[bytes], object] | None = None,
        cancel: Cancel | None = None,
    ) -> None:
        self.key, self.profile, self.attempt, self.answer, self.frames = key, profile, attempt, answer, frames
        self.timeout_ms, self.limits, self.number = timeout_ms, limits, number
        self.on_log, self.on_piece, self.cancel = on_log, on_piece, cancel
        self.on_done: Callable[[Errand], None] | None = None
        self.asked_at = time.monotonic()
        self.begun = 0.0
        self.deadline: float | None = None
        self.log_bytes = 0
        self.logs_dropped = 0
        self.reply: Frame | None = None
        self.result: RunResult | None = None
        self.problem: KivukoError | None = None
        self.done = False

    def begin(self, now: float) -> None:
        """Starts the clock: the host has loaded its modules and works. ``now`` is in seconds of the monotonic clock."""
        self.begun = now
        self.deadline = None if self.timeout_ms is None else now + self.timeout_ms / 1000

    def finish(self, *, reply: Frame | None = None, result: RunResult | None = None, problem: KivukoError | None = None) -> None:
        """Marks the errand as done and tells who waits for it."""
        self.reply, self.result, self.problem, self.done = reply, result, problem, True
        if self.cancel is not None:
            self.cancel.wake = None
        if self.on_done is not None:
            self.on_done(self)


def run_frame(request: RunRequest, number: int) -> tuple[bytes, bytes]:
    """The frame that asks a host to execute a Run."""
    meta = {
        "run": number,
        "attempt": request.attempt,
        "id": request.job_id,
        "name": request.job_name,
        "script": request.script,
        "source": request.source,
        "operations": request.operations,
        "insertions": request.insertions,
        "modules": dict(request.modules),
        "executeFrom": request.execute_from,
        "defaults": _text(request.default_state),
        "credentials": _text(request.credentials),
        "configuration": _text(request.configuration),
        "globals": request.globals_script,
        "edges": request.edges,
        "removed": request.remove_keys,
        "stateMb": request.limits.state_mb,
        "immutable": request.immutable,
        "debug": request.debug,
        "compiled": request.compiled,
        "secrets": request.secrets,
        "last": request.last,
    }
    return state_frame("R", meta, request.state)


def _text(json: bytes | None) -> str | None:
    return None if json is None else json.decode()


@value
class HostAfterRun:
    """What a done frame says of the host: whether a job changed it, whether the Attempt is over, and whether it left something behind."""

    dirty: bool
    rss_bytes: int
    over: bool
    leftover: bool


def read_run(frame: Frame, errand: Errand) -> tuple[RunResult, HostAfterRun]:
    """The result in the done frame of an errand, and how the host is after it. Raises BadFrame."""
    meta, state = frame.split()
    if meta.get("id") != errand.number:
        raise BadFrame("a done frame belongs to another run")
    fault, failure, dirty = meta.get("fault"), meta.get("failure"), meta.get("dirty")
    result = RunResult(
        state=None if meta.get("none") else state,
        error=None if fault is None else _read_fault(_mapping(fault)),
        followed={str(target): value is True for target, value in _mapping(meta.get("followed")).items()},
        edge_error=None if failure is None else _pair(failure),
        duration_ms=_number(meta.get("ms")),
        heap_bytes=int(_number(meta.get("heap"))),
        rss_bytes=int(_number(meta.get("rss"))),
        logs_dropped=errand.logs_dropped,
    )
    leftover = meta.get("leftover")
    return result, HostAfterRun(bool(dirty), result.rss_bytes, leftover is not None, bool(leftover))


def _read_fault(fault: Mapping[str, Any]) -> RunError:
    name, severity, message = fault.get("name"), fault.get("severity"), fault.get("message")
    if not isinstance(name, str) or not _is_severity(severity) or not isinstance(message, str):
        raise BadFrame("the error of a done frame is malformed")
    place, running = _mapping(fault.get("pos") or fault.get("at")), _mapping(fault.get("running"))
    kept = ("message", "name", "severity", "subtype", "details", "pos", "step", "operationName", "line")
    return RunError(
        name=name,
        severity=severity,
        message=message,
        report={"source": "runtime", **{key: fault[key] for key in kept if key in fault}},
        subtype=_optional(fault.get("subtype"), str),
        line=_optional(place.get("line"), int),
        column=_optional(place.get("column"), int),
        src=_optional(place.get("src"), str),
        operation=_optional(fault.get("operationName", running.get("name")), str),
        operation_line=_optional(fault.get("line", running.get("line")), int),
        stack=_optional(fault.get("stack"), str) or "",
        fix=str(fault.get("fix") or ""),
        details=fault.get("details", fault.get("thrown")),
    )


def _optional(value: object, kind: type[T]) -> T | None:
    if value is not None and (not isinstance(value, kind) or isinstance(value, bool)):
        raise BadFrame("the error of a done frame is malformed")
    return value


def _is_severity(value: object) -> TypeGuard[Severity]:
    return isinstance(value, str) and value in SEVERITIES


def _is_level(value: object) -> TypeGuard[LogLevel]:
    return isinstance(value, str) and value in LEVELS


def _is_source(value: object) -> TypeGuard[Literal["JOB", "ADA", "R/T"]]:
    return isinstance(value, str) and value in SOURCES


def read_log_line(frame: Frame) -> LogLine:
    """The line in a log frame. Raises BadFrame."""
    line = frame.json()
    level, source, values, texts, time_ns = (line.get(key) for key in ("l", "s", "m", "x", "t"))
    if not _is_level(level) or not _is_source(source) or not isinstance(values, list) or not isinstance(time_ns, int):
        raise BadFrame("a log frame is malformed")
    if texts is None:
        return LogLine(level, source, tuple(values), time_ns)
    if not isinstance(texts, list) or len(texts) != len(values) or not all(text is None or isinstance(text, str) for text in texts):
        raise BadFrame("the texts of a log frame are malformed")
    return LogLine(level, source, tuple(values), time_ns, tuple(texts))


def _mapping(value: object) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadFrame("a done frame is malformed")
    return value


def _pair(value: object) -> tuple[str, str]:
    if not isinstance(value, list) or len(value) != 2:
        raise BadFrame("a done frame is malformed")
    return str(value[0]), str(value[1])


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not -LARGEST_NUMBER < value < LARGEST_NUMBER:
        raise BadFrame("a done frame is malformed")
    return float(value)
