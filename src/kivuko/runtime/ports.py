"""What an Attempt needs from outside, as interfaces: an engine, adaptors, credentials."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from kivuko.engines import Cancel, EgressPolicy, HostKey, Limits, LogLine, ModuleFiles, RunRequest, RunResult

if TYPE_CHECKING:
    from kivuko.engines import RunError
    from kivuko.runtime.visits import EndedVisit, Follow, Visit
    from kivuko.workflow import Job

__all__ = ["AdaptorResolver", "CredentialResolver", "LoadedAdaptor", "OnLog", "Recorder", "RunEngine", "Schemas"]


OnLog = Callable[[LogLine], None]
"""Who hears the lines of one Run."""


class RunEngine(Protocol):
    """What executes Runs: ``kivuko.engines.Engine``, or something that passes work to it from other threads."""

    def run(self, request: RunRequest, *, on_log: OnLog | None = None, cancel: Cancel | None = None) -> RunResult:
        """Executes one Run. Raises EngineError or AdaptorBroken."""

    def prepare(self, key: HostKey, *, attempt: str = ..., limits: Limits = ..., egress: EgressPolicy = ...) -> None:
        """Starts a host for ``key`` without waiting for it."""

    def check(
        self,
        script: str,
        source: str,
        *,
        body: str | None = ...,
        insertions: Sequence[tuple[int, int, int]] = ...,
        key: HostKey = ...,
        limits: Limits = ...,
        egress: EgressPolicy = ...,
    ) -> None:
        """Lets the JavaScript engine compile a host script, in a host of ``key``. Raises JobSyntaxError."""

    def check_condition(self, text: str, *, key: HostKey = ..., limits: Limits = ..., egress: EgressPolicy = ...) -> None:
        """Lets the JavaScript engine compile an edge condition. Raises JobSyntaxError."""

    def end(self, attempt: str) -> None:
        """Tells that an Attempt is over."""


class LoadedAdaptor(Protocol):
    """An adaptor that is there: ``kivuko.adaptors.Adaptor``."""

    @property
    def exports(self) -> tuple[str, ...]:
        """The names that job code can use."""

    @property
    def files(self) -> ModuleFiles:
        """The files for a host; their ``specifier`` is what jobs import."""


AdaptorResolver = Callable[[str], LoadedAdaptor]
"""Finds the adaptor that a text names: ``common``, ``@openfn/language-http@7.0.0``, ``name@version=path``. Raises AdaptorProblem."""


class Recorder(Protocol):
    """Who keeps the record of an Attempt while it runs, so that another one can go on from there (server-and-data §4.2, the frontier).

    What its methods raise ends the Attempt: ``execute`` raises it.
    """

    def reached(self, first: Sequence[Follow]) -> Sequence[str]:
        """The Attempt begins, and these jobs come first. Gives a ticket for each, by which it is called from now on."""

    def starting(self, visit: Visit) -> None:
        """A job is about to run for the first time: nothing of it runs before this returns."""

    def ended(self, visit: EndedVisit) -> Sequence[str]:
        """A job has ended, and others follow. Gives a ticket for each of those."""

    def retry_in_ms(self, job: Job, error: RunError, tries: int) -> int | None:
        """After how long a job is tried again that ended with this error at its ``tries``-th time; None: it is not."""

    def wait(self, duration_ms: int) -> bool:
        """Waits until a job is tried again; False when that takes too long: the Attempt is to be parked."""

    def log_of(self, run: int) -> str:
        """What the log says of a Run: state.error of the jobs that are there for its failure."""


CredentialResolver = Callable[[str], Mapping[str, object]]
"""Gives the configuration for the id of a credential. Raises KivukoError when there is none."""

Schemas = Callable[[str], Mapping[str, object] | None]
"""Gives the configuration schema of the adaptor that a text names, or None; tells which of its values are secret."""
