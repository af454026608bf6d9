"""The engine: what others ask of it. Each question becomes an errand for a host; the supervisor does the rest."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType

from kivuko.engines.errand import Cancel, Errand, OnLog, run_frame
from kivuko.engines.frames import Frame, json_frame, raw_frame
from kivuko.engines.host import Profile
from kivuko.engines.run import EgressPolicy, HostKey, Limits, RunRequest, RunResult
from kivuko.engines.settings import EngineSettings
from kivuko.engines.supervisor import Supervisor
from kivuko.errors import AdaptorBroken, JobSyntaxError, KivukoError

__all__ = ["Engine"]

QUESTION_TIMEOUT_MS = 60_000
NO_KEY = HostKey("", "")
NO_LIMITS = Limits()
OPEN = EgressPolicy()


class Engine:
    """Executes Runs in warm, sandboxed hosts. A context manager: leaving it ends all hosts.

    Used directly, each call turns the engine's loop until its answer is there, so that one thread at a time may use it. One that many
    threads use is ``ServedEngine``; a program with a loop of its own turns this one with ``serve`` and hands Runs over with ``submit``;
    then no other thread may call the other methods, ``wake`` apart.
    """

    def __init__(self, settings: EngineSettings | None = None, supervisor: Supervisor | None = None) -> None:
        self.settings = settings or EngineSettings()
        self._supervisor = supervisor or Supervisor(self.settings)
        self._numbers = itertools.count(1)

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def run(self, request: RunRequest, *, on_log: OnLog | None = None, cancel: Cancel | None = None) -> RunResult:
        """Executes one Run and gives its result; log lines come to ``on_log`` as they happen.

        What goes wrong in the job is in the result. Raises AdaptorBroken, HostFailed, NodeMissing or EngineClosed.
        """
        errand = self._supervisor.complete(self._run_errand(request, on_log, cancel))
        assert errand.result is not None
        return errand.result

    def submit(
        self,
        request: RunRequest,
        on_done: Callable[[RunResult | KivukoError], None],
        *,
        on_log: OnLog | None = None,
        cancel: Cancel | None = None,
    ) -> None:
        """Hands a Run to the thread that turns ``serve``; ``on_done`` and ``on_log`` are called there. Raises EngineClosed."""
        errand = self._run_errand(request, on_log, cancel)
        errand.on_done = lambda done: on_done(done.result or done.problem)  # type: ignore[arg-type]  # a done errand has one of them
        self._supervisor.add(errand)
        self.wake()

    def serve(self, until: Callable[[], bool]) -> None:
        """Turns the loop until ``until()`` is true; it is asked after each event and each ``wake``."""
        while not until():
            self._supervisor.turn()

    def wake(self) -> None:
        """Lets the loop look around at once. Safe from any thread."""
        self._supervisor.wake()

    def prepare(self, key: HostKey, *, attempt: str = "", limits: Limits = NO_LIMITS, egress: EgressPolicy = OPEN) -> None:
        """Starts a host for ``key``, which loads its modules meanwhile; does not wait. Raises HostFailed or NodeMissing."""
        self._supervisor.prepare(key, Profile.of(key, limits.memory_mb, egress), attempt)

    def warm(self, key: HostKey, *, limits: Limits = NO_LIMITS, egress: EgressPolicy = OPEN) -> Mapping[str, tuple[str, ...]]:
        """Loads the modules of ``key`` in a host: specifier → export names. Raises AdaptorBroken, HostFailed or NodeMissing."""
        errand = Errand(key, Profile.of(key, limits.memory_mb, egress), "", "p", lambda: (), timeout_ms=QUESTION_TIMEOUT_MS)
        names = _reply(self._supervisor.complete(errand)).json()["names"]
        assert isinstance(names, dict)
        return {specifier: tuple(found) for specifier, found in names.items()}

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
        """Lets V8 compile a host script, never executing it; with ``key`` a host of that key does it.

        ``source`` is the author's text, ``insertions`` what the compiler put into it, ``body`` the edited text where the compiler was in
        doubt. Raises JobSyntaxError in acorn's words where the store has acorn, line 1-based, column 0-based.
        """
        self._check({"kind": "job", "script": script, "source": source, "body": body, "insertions": insertions}, key, limits, egress)

    def check_condition(self, text: str, *, key: HostKey = NO_KEY, limits: Limits = NO_LIMITS, egress: EgressPolicy = OPEN) -> None:
        """Lets V8 compile an edge condition. Raises JobSyntaxError."""
        self._check({"kind": "condition", "script": text}, key, limits, egress)

    def _check(self, question: dict[str, object], key: HostKey, limits: Limits, egress: EgressPolicy) -> None:
        acorn = self.settings.acorn
        question["acorn"] = str(acorn) if acorn is not None and acorn.exists() else None
        answer = self._ask(key, Profile.of(key, limits.memory_mb, egress), "C", "c", question)
        if answer.get("ok") is not True:
            line, column = answer.get("line"), answer.get("column")
            known = isinstance(line, int) and isinstance(column, int)
            raise JobSyntaxError(str(answer["message"]), line=line if known else None, column=column if known else None)  # type: ignore[arg-type]

    def call(
        self,
        key: HostKey,
        specifier: str,
        function: str,
        arguments: list[object],
        *,
        limits: Limits = NO_LIMITS,
        egress: EgressPolicy = OPEN,
    ) -> object:
        """Calls a function that a module exports with JSON arguments and gives its JSON value.

        Raises AdaptorBroken when the module has no such function or the function throws.
        """
        module = next(module for module in key.modules if module.specifier == specifier)
        profile = Profile.of(key, limits.memory_mb, egress)
        answer = self._ask(key, profile, "X", "x", {"key": module.key, "name": function, "arguments": arguments})
        if answer.get("missing"):
            raise AdaptorBroken(f"{specifier} has no function {function}")
        if answer.get("ok") is False:
            raise AdaptorBroken(f"{function} of {specifier} failed: {answer['message']}")
        return answer["value"]

    def write_pretty(self, document: bytes, write: Callable[[bytes], object], *, key: HostKey = NO_KEY, limits: Limits = NO_LIMITS) -> None:
        """Hands a JSON document, indented by two, to ``write`` in pieces of at most about 1 MB: a large one is never whole in memory."""
        profile = Profile.of(key, limits.memory_mb, OPEN)
        self._supervisor.complete(Errand(key, profile, "", "f", lambda: raw_frame("F", document), on_piece=write))

    def end(self, attempt: str) -> None:
        """Tells that an Attempt is over, so that its hosts close its sockets and forget its modules."""
        self._supervisor.end(attempt)

    def close(self) -> None:
        """Ends all hosts; who waits gets EngineClosed."""
        if not self._supervisor.closed:
            self._supervisor.close()

    def _run_errand(self, request: RunRequest, on_log: OnLog | None, cancel: Cancel | None) -> Errand:
        number = next(self._numbers)
        if cancel is not None:
            cancel.wake = self.wake
        return Errand(
            request.key,
            Profile.of(request.key, request.limits.memory_mb, request.egress, request.isolation),
            request.attempt,
            "d",
            lambda: run_frame(request, number),
            timeout_ms=request.limits.timeout_ms,
            limits=request.limits,
            number=number,
            on_log=on_log,
            cancel=cancel,
        )

    def _ask(self, key: HostKey, profile: Profile, kind: str, answer: str, question: object) -> dict[str, object]:
        errand = Errand(key, profile, "", answer, lambda: (json_frame(kind, question),), timeout_ms=QUESTION_TIMEOUT_MS)
        return _reply(self._supervisor.complete(errand)).json()


def _reply(errand: Errand) -> Frame:
    assert errand.reply is not None
    return errand.reply
