"""What all parts of one Attempt share."""

from __future__ import annotations

from collections.abc import Mapping

from kivuko.engines import Cancel, HostKey
from kivuko.runtime.credentials import Configurations, load_configurations
from kivuko.runtime.deadline import Deadline
from kivuko.runtime.events import Observer
from kivuko.runtime.hosts import credential_text, host_key
from kivuko.runtime.logs import Journal, LogRecord, LogSink
from kivuko.runtime.ports import CredentialResolver, Recorder, RunEngine, Schemas
from kivuko.runtime.program import Program
from kivuko.runtime.settings import AttemptSettings
from kivuko.value import value

__all__ = ["AttemptContext", "Outside", "open_context", "shared_key"]


@value
class Outside:
    """Whom an Attempt deals with: who gives credentials and schemas, hears log lines and events, may stop it, and keeps its record."""

    credentials: CredentialResolver | None = None
    schemas: Schemas | None = None
    on_log: LogSink | None = None
    on_event: Observer | None = None
    cancel: Cancel | None = None
    recorder: Recorder | None = None


@value
class AttemptContext:
    """The program, what it runs with, and where its lines go. ``keys`` are the hosts' keys by job id."""

    program: Program
    engine: RunEngine
    settings: AttemptSettings
    outside: Outside
    configurations: Configurations
    journal: Journal
    sink: LogSink
    deadline: Deadline
    keys: Mapping[str, HostKey]


def open_context(program: Program, state: bytes, engine: RunEngine, settings: AttemptSettings, outside: Outside) -> AttemptContext:
    """Everything an Attempt needs, with its credentials looked up and its clock started."""
    configurations = load_configurations(program.plan.workflow, state, outside.credentials, outside.schemas)
    sink = outside.on_log or _drop
    journal = Journal(sink, settings.clock.now_ns, debug=settings.debug)
    deadline = Deadline(settings.attempt_timeout_ms, settings.clock.monotonic_ns)
    keys = _host_keys(program, settings, configurations)
    return AttemptContext(program, engine, settings, outside, configurations, journal, sink, deadline, keys)


def _drop(record: LogRecord) -> None:
    """Nobody listens."""


def shared_key(program: Program, settings: AttemptSettings) -> HostKey:
    """The key of the host that all Runs of a program share when ``settings.one_host`` says so."""
    return host_key(settings, "", (module for prepared in program.jobs.values() for module in prepared.loaded))


def _host_keys(program: Program, settings: AttemptSettings, configurations: Configurations) -> dict[str, HostKey]:
    """Jobs with one credential share a host, which has loaded the modules of all of them."""
    texts = {job_id: credential_text(settings, configurations.by_job.get(job_id)) for job_id in program.jobs}
    modules = {
        text: [module for job_id in program.jobs if texts[job_id] == text for module in program.jobs[job_id].loaded]
        for text in texts.values()
    }
    keys = {text: host_key(settings, text, needed) for text, needed in modules.items()}
    return {job_id: keys[text] for job_id, text in texts.items()}
