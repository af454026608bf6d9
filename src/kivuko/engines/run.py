"""What goes into one Run of a job and what comes out: the values that cross the engine's boundary."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Literal

from kivuko.value import fresh, value

__all__ = [
    "EgressPolicy",
    "HostKey",
    "Isolation",
    "Limits",
    "LogLevel",
    "LogLine",
    "ModuleFiles",
    "RunError",
    "RunRequest",
    "RunResult",
    "Severity",
]

LogLevel = Literal["debug", "info", "log", "success", "always", "warn", "error", "print"]
Severity = Literal["fail", "crash", "kill", "exception"]


class Isolation(enum.Enum):
    """How long a host process lives (engine.md §8.4)."""

    PROJECT = "project"
    ATTEMPT = "attempt"


@value
class ModuleFiles:
    """One adaptor (or other module) as a host gets it: a specifier for scripts, a key, and files.

    ``specifier`` is what job code imports (``@openfn/language-http``, no version). ``key`` is unique for content
    (``@openfn/language-http@7.2.10``, or a path with a fingerprint for a local folder). ``form`` is ``bundle`` (``file`` is a manifest of
    bundles) or ``folder`` (``file`` is the entry module). ``readable`` are folders that the host must be allowed to read beyond the
    store of bundles. ``addons`` says that native addons must be allowed.
    """

    specifier: str
    key: str
    form: Literal["bundle", "folder"]
    file: str
    readable: tuple[str, ...] = ()
    addons: bool = False


@value
class EgressPolicy:
    """Which addresses a host may connect to (engine.md §12.1). The default opens everything, as on the command line.

    ``blocked`` holds networks in CIDR form; ``allowed`` holds ``host:port`` texts that are open whatever is blocked.
    """

    blocked: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    unix_sockets: bool = True


@value
class HostKey:
    """Which Runs may share a host: project, credential (both opaque texts) and the modules that the host loads."""

    project: str
    credential: str
    modules: tuple[ModuleFiles, ...] = ()


@value
class Limits:
    """Bounds on one Run. None = no bound."""

    timeout_ms: int | None = 300_000
    memory_mb: int = 500
    state_mb: float | None = 500
    log_bytes: int | None = None


@value
class RunRequest:
    """One execution of one job.

    All JSON travels as bytes. ``job_id`` keys ``state.errors``; ``job_name`` is what people read. ``script`` is the host script of
    ``kivuko.language`` and ``source`` the author's own text, for source lines in reports. ``operations`` are ``(name, line)`` in order;
    ``insertions`` are ``(line, column, length)`` in UTF-16 units of the script, by which reported columns are corrected.
    ``modules`` maps each specifier that the script reads to the key of one of ``key.modules``; ``execute_from`` lists the specifiers whose
    ``execute`` may reduce the operations. ``edges`` are ``(target, condition)``: condition True, or a text of JavaScript or one of OpenFn's
    words. ``attempt`` names the Attempt: modules of ``@openfn/*`` are fresh for each. ``compiled`` is False for a module that runs as its
    author wrote it and must export its own list of operations. ``secrets`` are texts that the report in ``state.errors`` must not hold.
    With ``last`` nothing else of the Attempt waits: a Run that goes well and follows no edge ends it in the host at once.
    An empty ``script`` runs nothing: the state passes through untouched and only the edges are decided.
    """

    key: HostKey
    attempt: str
    job_id: str
    job_name: str
    script: str
    source: str
    state: bytes
    operations: tuple[tuple[str | None, int], ...] = ()
    insertions: tuple[tuple[int, int, int], ...] = ()
    modules: Mapping[str, str] = fresh(factory=dict)
    execute_from: tuple[str, ...] = ()
    default_state: bytes | None = None
    credentials: bytes | None = None
    configuration: bytes | None = None
    globals_script: str | None = None
    edges: tuple[tuple[str, str | Literal[True]], ...] = ()
    remove_keys: tuple[str, ...] = ("configuration",)
    immutable: bool = False
    debug: bool = False
    compiled: bool = True
    secrets: tuple[str, ...] = ()
    last: bool = False
    limits: Limits = Limits()
    egress: EgressPolicy = EgressPolicy()
    isolation: Isolation = Isolation.PROJECT

    def __repr__(self) -> str:
        """Without state and credentials: what is printed may end in a log."""
        return f"RunRequest(attempt={self.attempt!r}, job_id={self.job_id!r})"


@value
class LogLine:
    """One line of a Run's log.

    ``source`` is ``JOB`` (console of the job), ``ADA`` (console of an adaptor) or ``R/T`` (the runtime). ``message`` holds one JSON
    value per argument. ``text`` holds, where the readable form is not the plain one (a string as it is, anything else as JSON indented by
    2), that form, else None. ``time_ns`` counts from the epoch.
    """

    level: LogLevel
    source: Literal["JOB", "ADA", "R/T"]
    message: tuple[object, ...]
    time_ns: int
    text: tuple[str | None, ...] | None = None


@value
class RunError:
    """Why a Run did not succeed, in OpenFn's wire words (jobs-and-runtime §3).

    ``report`` is what stands in ``state.errors`` (name, severity, message, pos …). ``stack`` is the printable stack in the author's own
    lines. ``operation`` and ``operation_line`` tell which operation failed, or was running when the error leads to no place in the job.
    ``details`` are what the error tells besides; of a thrown value without message, the value. A severity of crash, kill or exception ends
    the Attempt.
    """

    name: str
    severity: Severity
    message: str
    report: Mapping[str, object] = fresh(factory=dict)
    subtype: str | None = None
    line: int | None = None
    column: int | None = None
    src: str | None = None
    operation: str | None = None
    operation_line: int | None = None
    stack: str = ""
    fix: str = ""
    details: object = None


@value
class RunResult:
    """What a Run gave.

    ``state`` is the output as JSON bytes, None when there is no state (undefined). ``followed`` tells per edge whether it is followed.
    ``edge_error`` is ``(target, message)`` of a condition that threw. ``rss_bytes`` is the host's resident memory after the Run.
    """

    state: bytes | None
    error: RunError | None = None
    followed: Mapping[str, bool] = fresh(factory=dict)
    edge_error: tuple[str, str] | None = None
    duration_ms: float = 0.0
    heap_bytes: int = 0
    rss_bytes: int = 0
    logs_dropped: int = 0
