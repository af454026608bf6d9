"""An engine whose Runs a test writes down, and short ways to execute plans in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from kivuko.engines import Cancel
from kivuko.engines.run import EgressPolicy, HostKey, Limits, LogLine, ModuleFiles, RunError, RunRequest, RunResult
from kivuko.errors import AdaptorBroken, AdaptorMissing, JobSyntaxError
from kivuko.runtime import AttemptResult, AttemptSettings, Clock, Event, LoadedAdaptor, Outside, Program, execute, prepare
from kivuko.runtime.logs import LogRecord, text_line
from kivuko.runtime.ports import OnLog
from kivuko.workflow import read_plan

NO_KEY, NO_LIMITS, OPEN = HostKey("", ""), Limits(), EgressPolicy()
State = dict[str, object]
Answer = object
"""What a scripted job gives: its state, a RunResult, or an exception that the engine raises."""


class ScriptedEngine:
    """Executes Runs by functions of the test, ``jobs[job_id](state, request)``; a job without one passes its state on.

    Conditions are functions too, by their text. Merging, ``errors`` and ``on_job_*`` follow the rules of the real host.
    """

    def __init__(self) -> None:
        self.jobs: dict[str, Callable[[State, RunRequest], Answer]] = {}
        self.conditions: dict[str, Callable[[State], object]] = {}
        self.requests: list[RunRequest] = []
        self.lines: dict[str, list[LogLine]] = {}
        self.prepared: list[HostKey] = []
        self.ended: list[str] = []
        self.refused: dict[str, str] = {}
        self.unable: AdaptorBroken | None = None

    def run(self, request: RunRequest, *, on_log: OnLog | None = None, cancel: Cancel | None = None) -> RunResult:
        self.requests.append(request)
        for line in self.lines.get(request.job_id, []):
            assert on_log is not None
            on_log(line)
        if request.script == "":
            return self._finish(request, json.loads(request.state or b"null"), None)
        state = _input(request)
        answer = self.jobs.get(request.job_id, lambda given, _: given)(state, request)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, RunResult):
            return answer
        if isinstance(answer, RunError):
            if answer.severity != "fail":
                return RunResult(None, answer, duration_ms=5)
            errors = state.get("errors")
            state["errors"] = {**(errors if isinstance(errors, dict) else {}), request.job_id: dict(answer.report)}
            return self._finish(request, state, answer)
        return self._finish(request, answer, None)

    def _finish(self, request: RunRequest, state: object, error: RunError | None) -> RunResult:
        if isinstance(state, dict):
            state = {key: value for key, value in state.items() if key not in request.remove_keys}
        followed: dict[str, bool] = {}
        for target, condition in request.edges:
            try:
                followed[target] = bool(self._decide(request, condition, state))
            except KeyError as thrown:
                return RunResult(None, error, followed, (target, f"KeyError: {thrown}"), 5)
        written = None if state is None else json.dumps(state, separators=(",", ":")).encode()
        return RunResult(written, error, followed, duration_ms=5, heap_bytes=5 << 20, rss_bytes=80 << 20)

    def _decide(self, request: RunRequest, condition: str | bool, state: object) -> object:
        errors = state.get("errors") if isinstance(state, dict) else None
        failed = bool(errors.get(request.job_id)) if isinstance(errors, dict) else False
        words = {"on_job_success": not failed, "on_upstream_success": not failed, "on_job_failure": failed, "on_upstream_fail": failed}
        if condition is True:
            return True
        assert isinstance(condition, str)
        return words[condition] if condition in words else self.conditions[condition](state if isinstance(state, dict) else {})

    def prepare(self, key: HostKey, *, attempt: str = "", limits: Limits = NO_LIMITS, egress: EgressPolicy = OPEN) -> None:
        self.prepared.append(key)

    def check(
        self,
        script: str,
        source: str,
        *,
        body: str | None = None,
        insertions: Sequence[tuple[int, int, int]] = (),
        key: HostKey = NO_KEY,
        limits: Limits = NO_LIMITS,
        egress: EgressPolicy = OPEN,
    ) -> None:
        self._look(source)

    def check_condition(self, text: str, *, key: HostKey = NO_KEY, limits: Limits = NO_LIMITS, egress: EgressPolicy = OPEN) -> None:
        self._look(text)

    def _look(self, text: str) -> None:
        if self.unable is not None:
            raise self.unable
        if text in self.refused:
            raise JobSyntaxError(self.refused[text], line=1, column=0)

    def end(self, attempt: str) -> None:
        self.ended.append(attempt)


def _input(request: RunRequest) -> State:
    read = lambda text: {} if text is None else json.loads(text)  # noqa: E731
    incoming, defaults = json.loads(request.state), read(request.default_state)
    state: State = {**defaults, **(incoming if isinstance(incoming, dict) else {})}
    configuration = incoming.get("configuration") if isinstance(incoming, dict) else None
    state["configuration"] = {**read(request.credentials), **(configuration or {}), **read(request.configuration)}
    state.setdefault("data", {})
    return state


@dataclass(frozen=True)
class FakeAdaptor:
    """An adaptor of a test."""

    exports: tuple[str, ...]
    files: ModuleFiles


@dataclass
class Desk:
    """Executes plans in a scripted engine and keeps what is told of them."""

    engine: ScriptedEngine = field(default_factory=ScriptedEngine)
    adaptors: dict[str, FakeAdaptor] = field(default_factory=dict)
    records: list[LogRecord] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    settings: AttemptSettings = field(default_factory=AttemptSettings)
    credentials: Callable[[str], Mapping[str, object]] | None = None

    def adaptor(self, name: str, *exports: str, version: str = "1.0.0") -> None:
        """An adaptor that the plans of this test can use."""
        self.adaptors[name] = FakeAdaptor(exports, ModuleFiles(name, f"{name}@{version}", "bundle", f"/store/{name}"))

    def resolve(self, text: str) -> LoadedAdaptor:
        if text not in self.adaptors:
            raise AdaptorMissing(f"{text} is not installed")
        return self.adaptors[text]

    def prepare(self, document: object) -> Program:
        return prepare(read_plan(document), self.resolve, engine=self.engine, settings=self.settings, on_log=self.records.append)

    def execute(self, document: object, state: object = None) -> AttemptResult:
        """The result of a plan, given as JSON or as steps only."""
        plan = {"workflow": {"steps": document}} if isinstance(document, list) else document
        outside = Outside(self.credentials, None, self.records.append, self.events.append)
        written = json.dumps({} if state is None else state).encode()
        return execute(self.prepare(plan), written, self.engine, settings=self.settings, outside=outside)

    @property
    def order(self) -> list[str]:
        """The jobs and triggers that the engine was asked for, in order."""
        return [request.job_id for request in self.engine.requests]

    @property
    def log(self) -> list[str]:
        """The log as people read it."""
        return [line for record in self.records if (line := text_line(record)) is not None]


def job(step: str, following: object = None, **more: object) -> dict[str, object]:
    """A step whose expression is of no account."""
    return {"id": step, "expression": "fn(s => s)", "next": following, **more}


def failure(message: str = "oops", name: str = "JobError", severity: str = "fail", **more: object) -> RunError:
    """An error as a host reports it."""
    report = {"source": "runtime", "name": name, "severity": severity, "message": message}
    return RunError(name, severity, message, report=report, **more)  # type: ignore[arg-type]


class Hands:
    """A clock that a test moves; each look at it takes a microsecond."""

    def __init__(self) -> None:
        self.ns = 1_700_000_000_000_000_000

    def look(self) -> int:
        self.ns += 1000
        return self.ns

    def pass_ms(self, duration: int) -> None:
        self.ns += duration * 1_000_000

    @property
    def clock(self) -> Clock:
        return Clock(self.look, self.look)


@pytest.fixture
def desk() -> Desk:
    return Desk()
