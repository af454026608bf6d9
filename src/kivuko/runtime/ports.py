"""What an Attempt needs from outside, as interfaces: an engine, adaptors, credentials."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from kivuko.engines import Cancel, EgressPolicy, HostKey, Limits, LogLine, ModuleFiles, RunRequest, RunResult

__all__ = ["AdaptorResolver", "CredentialResolver", "LoadedAdaptor", "OnLog", "RunEngine", "Schemas"]


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
    ) -> None:
        """Lets the JavaScript engine compile a host script, in a host of ``key``. Raises JobSyntaxError."""

    def check_condition(self, text: str, *, key: HostKey = ..., limits: Limits = ...) -> None:
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

CredentialResolver = Callable[[str], Mapping[str, object]]
"""Gives the configuration for the id of a credential. Raises KivukoError when there is none."""

Schemas = Callable[[str], Mapping[str, object] | None]
"""Gives the configuration schema of the adaptor that a text names, or None; tells which of its values are secret."""
