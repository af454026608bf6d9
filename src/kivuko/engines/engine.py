"""The supervisor: one loop that feeds hosts, reads their frames, keeps time and kills what does not end (engine.md §2, §8, §10).

Plain code over ``selectors``, no threads of its own: ``Engine.run`` turns the loop until its Run is done; a server turns it in a thread of its
own with ``Engine.serve`` and hands work over with ``Engine.submit``.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import time
from collections import deque
from collections.abc import Callable, Mapping
from types import TracebackType

from kivuko.engines.errand import Cancel, Errand, OnLog, exchange, read_log_line, read_run, run_frame
from kivuko.engines.frames import BadFrame, Frame
from kivuko.engines.host import Host, HostState, Profile
from kivuko.engines.pool import Pool
from kivuko.engines.run import EgressPolicy, HostKey, Isolation, Limits, LogLine, RunError, RunRequest, RunResult
from kivuko.engines.settings import EngineSettings
from kivuko.errors import AdaptorBroken, EngineClosed, HostFailed, JobSyntaxError, KivukoError

__all__ = ["Engine"]

CHECK_TIMEOUT_MS = 30_000
START_TIMEOUT_MS = 60_000
OPEN = EgressPolicy()


class Engine:
    """Executes Runs in warm, sandboxed hosts. A context manager: leaving it ends all hosts."""

    def __init__(self, settings: EngineSettings | None = None) -> None:
        self.settings = settings or EngineSettings()
        self._pool = Pool(self.settings, self._forget)
        self._selector = selectors.DefaultSelector()
        self._arriving: deque[Errand] = deque()
        self._waiting: deque[Errand] = deque()
        self._working: dict[Host, Errand | None] = {}
        self._count = 0
        self._closed = False
        self._alarm, self._bell = os.pipe()
        os.set_blocking(self._alarm, False)
        os.set_blocking(self._bell, False)
        self._selector.register(self._alarm, selectors.EVENT_READ, None)

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def run(self, request: RunRequest, *, on_log: OnLog | None = None, cancel: Cancel | None = None) -> RunResult:
        """Executes one Run and gives its result; log lines come to ``on_log`` as they happen.

        What goes wrong in the job is in the result. Raises AdaptorBroken, HostFailed, NodeMissing or EngineClosed.
        """
        errand = self._run_errand(request, on_log, cancel)
        self._complete(errand)
        assert errand.result is not None
        return errand.result

    def submit(
        self, request: RunRequest, on_done: Callable[[RunResult | KivukoError], None], *, on_log: OnLog | None = None, cancel: Cancel | None = None
    ) -> None:
        """Hands a Run to the thread that turns ``serve``; ``on_done`` and ``on_log`` are called there."""
        errand = self._run_errand(request, on_log, cancel)

        def report(done: Errand) -> None:
            outcome = done.result or done.problem
            assert isinstance(outcome, (RunResult, KivukoError))
            on_done(outcome)

        errand.on_done = report
        self._arriving.append(errand)
        self.wake()

    def serve(self, until: Callable[[], bool]) -> None:
        """Turns the loop until ``until()`` is true (looked at after each event and each ``wake``)."""
        while not until():
            self._turn()

    def wake(self) -> None:
        """Lets the loop look around at once. Safe from any thread."""
        with contextlib.suppress(BlockingIOError):
            os.write(self._bell, b"!")

    def prepare(self, key: HostKey, *, attempt: str = "", limits: Limits | None = None, egress: EgressPolicy = OPEN) -> None:
        """Starts a host for ``key`` and lets it load its modules, without waiting. Raises HostFailed or NodeMissing."""
        profile = Profile.of(key, (limits or Limits()).memory_mb, egress)
        host = self._pool.acquire(key, profile, attempt)
        if host is not None:
            host.state = HostState.IDLE
            self._watch(host)

    def warm(self, key: HostKey, *, limits: Limits | None = None) -> Mapping[str, tuple[str, ...]]:
        """Loads the modules of ``key`` in a host: specifier → export names. Raises AdaptorBroken, HostFailed or NodeMissing."""
        errand = Errand(key, "", lambda: (), "p", CHECK_TIMEOUT_MS)
        errand.request = None if limits is None else RunRequest(key, "", "", "", "", "", b"", limits=limits)
        self._complete(errand)
        assert errand.reply is not None
        names = errand.reply.json()["names"]
        assert isinstance(names, dict)
        return {specifier: tuple(found) for specifier, found in names.items()}

    def check(self, script: str, source: str, *, body: str | None = None, key: HostKey | None = None) -> None:
        """Lets V8 compile a host script, never executing it. ``source`` is the author's text, ``body`` the edited text where the compiler was in
        doubt. Raises JobSyntaxError in acorn's words, line 1-based and column 0-based."""
        self._check({"kind": "job", "script": script, "source": source, "body": body}, key)

    def check_condition(self, text: str, *, key: HostKey | None = None) -> None:
        """Lets V8 compile an edge condition. Raises JobSyntaxError."""
        self._check({"kind": "condition", "script": text}, key)

    def _check(self, question: dict[str, object], key: HostKey | None) -> None:
        acorn = self.settings.acorn
        question["acorn"] = str(acorn) if acorn is not None and acorn.exists() else None
        answer = self._ask(key or HostKey("", ""), "C", "c", question)
        if not answer["ok"]:
            line, column = answer.get("line"), answer.get("column")
            place = (line, column) if isinstance(line, int) and isinstance(column, int) else (None, None)
            raise JobSyntaxError(str(answer["message"]), line=place[0], column=place[1])

    def call(self, key: HostKey, specifier: str, function: str, arguments: list[object]) -> object:
        """Calls a function that a module exports with JSON arguments and gives its JSON value. Raises AdaptorBroken when the module has no such
        function or it throws."""
        module = next(module for module in key.modules if module.specifier == specifier)
        answer = self._ask(key, "X", "x", {"key": module.key, "name": function, "arguments": arguments})
        if answer.get("missing"):
            raise AdaptorBroken(f"{specifier} has no function {function}")
        if answer.get("ok") is False:
            raise AdaptorBroken(f"{function} of {specifier} failed: {answer['message']}")
        return answer["value"]

    def pretty(self, document: bytes, *, key: HostKey | None = None) -> bytes:
        """A JSON document indented by two, as JSON.stringify writes it."""
        errand = Errand(key or HostKey("", ""), "", lambda: _plain_frame("F", document), "f")
        self._complete(errand)
        assert errand.reply is not None
        return errand.reply.split()[1]

    def end(self, attempt: str) -> None:
        """Tells that an Attempt is over: its hosts close its sockets and drop its modules, and are free for others when they have."""
        for host in [host for host in self._pool.hosts if host.attempt == attempt and host.state is HostState.IDLE]:
            host.attempt = None
            if host.isolated:
                self._pool.retire(host)
            else:
                host.state = HostState.ENDING
                host.send(_plain_frame("E", b"")[0])
                self._watch(host)

    def close(self) -> None:
        """Ends all hosts; who waits gets EngineClosed."""
        if self._closed:
            return
        self._closed = True
        for host in list(self._pool.hosts):
            self._pool.retire(host)
        for errand in [*self._waiting, *self._arriving]:
            errand.finish(problem=EngineClosed())
        self._selector.close()
        os.close(self._alarm)
        os.close(self._bell)

    # The loop

    def _run_errand(self, request: RunRequest, on_log: OnLog | None, cancel: Cancel | None) -> Errand:
        self._count += 1
        run = self._count
        errand = Errand(request.key, request.attempt, lambda: run_frame(request, run), "d", request.limits.timeout_ms, request, on_log)
        errand.run = run
        if cancel is not None:
            cancel.wake = self.wake
            errand.cancel = cancel
        return errand

    def _ask(self, key: HostKey, kind: str, answer: str, question: object) -> dict[str, object]:
        errand = Errand(key, "", exchange(kind, question), answer, CHECK_TIMEOUT_MS)
        self._complete(errand)
        assert errand.reply is not None
        return errand.reply.json()

    def _complete(self, errand: Errand) -> None:
        if self._closed:
            raise EngineClosed()
        self._arriving.append(errand)
        while not errand.done:
            self._turn()
        if errand.problem is not None:
            raise errand.problem

    def _turn(self) -> None:
        while self._arriving:
            self._waiting.append(self._arriving.popleft())
        self._dispatch()
        if self._arriving:
            return
        for selected, events in self._selector.select(self._patience()):
            if selected.data is None:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._alarm, 4096)
            elif selected.data.state is not HostState.DEAD:
                self._serve_host(selected.data, selected.fd, events)
        self._keep_time()

    def _patience(self) -> float | None:
        deadlines = [errand.deadline for errand in self._working.values() if errand is not None and errand.deadline is not None]
        return max(0.0, min(deadlines) - time.monotonic()) if deadlines else None

    def _dispatch(self) -> None:
        for _ in range(len(self._waiting)):
            errand = self._waiting.popleft()
            if errand.done:
                continue
            try:
                placed = self._place(errand)
            except KivukoError as problem:
                errand.finish(problem=problem)
                continue
            if not placed:
                self._waiting.append(errand)

    def _place(self, errand: Errand) -> bool:
        request = errand.request
        limits = request.limits if request is not None else Limits()
        profile = Profile.of(errand.key, limits.memory_mb, request.egress if request is not None else OPEN)
        host = self._pool.acquire(errand.key, profile, errand.attempt)
        if host is None:
            return False
        host.state = HostState.RUNNING
        host.attempt = errand.attempt or host.attempt
        host.isolated = request is not None and request.isolation is Isolation.ATTEMPT
        self._working[host] = errand
        if host.loaded is not None:
            errand.begin(time.monotonic())
        else:
            errand.deadline = time.monotonic() + START_TIMEOUT_MS / 1000
        self._watch(host)
        if errand.answer == "p" and host.loaded is not None:
            self._done(host, errand, reply=host.loaded)
        else:
            host.send(*errand.frames())
            self._watch(host)
        return True

    def _watch(self, host: Host) -> None:
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if host.wants_to_write else 0)
        registered = self._selector.get_map()
        if host.output not in registered:
            self._selector.register(host.output, selectors.EVENT_READ, host)
            self._selector.register(host.errors, selectors.EVENT_READ, host)
        writing = host.input in registered
        if host.wants_to_write and not writing:
            self._selector.register(host.input, selectors.EVENT_WRITE, host)
        elif writing and not events & selectors.EVENT_WRITE:
            self._selector.unregister(host.input)

    def _forget(self, host: Host) -> None:
        self._working.pop(host, None)
        registered = self._selector.get_map()
        for descriptor in (host.output, host.errors, host.input):
            if descriptor in registered:
                self._selector.unregister(descriptor)

    def _serve_host(self, host: Host, descriptor: int, events: int) -> None:
        if descriptor == host.errors:
            if not host.read_errors():
                self._selector.unregister(host.errors)
            return
        if events & selectors.EVENT_WRITE:
            host.flush()
            self._watch(host)
            return
        try:
            for frame in host.frames():
                self._take(host, frame)
                if host.state is HostState.DEAD:
                    return
        except BadFrame as problem:
            self._lose(host, RunError("ProtocolError", "kill", f"The job broke the engine's protocol: {problem}"))
            return
        if host.reader.ended:
            self._ended(host)

    def _take(self, host: Host, frame: Frame) -> None:
        errand = self._working.get(host)
        if frame.kind == "l":
            self._log(errand, frame)
        elif frame.kind == "p":
            self._loaded(host, frame)
        elif frame.kind == "e":
            self._rest(host, frame)
        elif errand is None or frame.kind != errand.answer:
            raise BadFrame(f"an answer {frame.kind!r} that nobody asked for")
        elif frame.kind == "d":
            self._ran(host, errand, frame)
        else:
            self._done(host, errand, reply=frame)

    def _log(self, errand: Errand | None, frame: Frame) -> None:
        if errand is None or errand.on_log is None:
            return
        limits = errand.request.limits if errand.request is not None else Limits()
        errand.log_bytes += len(frame.payload)
        if limits.log_bytes is None or errand.log_bytes <= limits.log_bytes:
            errand.on_log(read_log_line(frame, limits.log_message_bytes))
            return
        if errand.logs_dropped == 0:
            text = f"The log of this run is longer than {limits.log_bytes} bytes: further lines are dropped"
            errand.on_log(LogLine("warn", "R/T", (text,), time.time_ns()))
        errand.logs_dropped += 1

    def _loaded(self, host: Host, frame: Frame) -> None:
        answer = frame.json()
        errand = self._working.get(host)
        if answer.get("ok") is not True:
            self._pool.retire(host)
            if errand is not None:
                errand.finish(problem=AdaptorBroken(str(answer.get("message")), details=str(answer.get("stack") or "")))
            return
        host.loaded = frame
        if errand is not None and errand.answer == "p":
            self._done(host, errand, reply=frame)
        elif errand is not None:
            errand.begin(time.monotonic())

    def _ran(self, host: Host, errand: Errand, frame: Frame) -> None:
        host.runs += 1
        result, dirty = read_run(frame, errand.run, host.first_rss or 0, errand.logs_dropped)
        self._release(host)
        if dirty:
            self._pool.retire(host)
        errand.finish(result=result)

    def _done(self, host: Host, errand: Errand, *, reply: Frame) -> None:
        self._release(host)
        errand.finish(reply=reply)

    def _release(self, host: Host) -> None:
        self._working.pop(host, None)
        host.state = HostState.IDLE
        host.last_used = time.monotonic()

    def _rest(self, host: Host, frame: Frame) -> None:
        if host.state is not HostState.ENDING:
            raise BadFrame("an end that nobody asked for")
        answer = frame.json()
        rss = answer.get("rss")
        host.state = HostState.IDLE
        if answer.get("leftover") or not isinstance(rss, int) or self._pool.worn_out(host, rss):
            self._pool.retire(host)


    def _lose(self, host: Host, error: RunError) -> None:
        """A host is killed in the middle of its errand: the Run ends with ``error``."""
        errand = self._working.get(host)
        self._pool.retire(host)
        if errand is None:
            return
        if errand.answer == "d" and host.loaded is not None:
            duration_ms = (time.monotonic() - errand.begun) * 1000
            errand.finish(result=RunResult(None, error, duration_ms=duration_ms, logs_dropped=errand.logs_dropped))
        else:
            errand.finish(problem=HostFailed(error.message))

    def _ended(self, host: Host) -> None:
        """A host has closed its pipe by itself: it ran out of memory, exited or crashed."""
        errand = self._working.get(host)
        self._forget(host)
        self._pool.hosts.remove(host)
        status = host.bury()
        if errand is None:
            return
        if errand.answer != "d" or host.loaded is None:
            said = host.stderr.decode("utf-8", "replace").strip()
            errand.finish(problem=HostFailed(f"A host process ended with status {status} before it could work", details=said))
            return
        if host.ran_out_of_memory:
            error = RunError("OOMError", "kill", "Run exceeded maximum memory usage")
        else:
            error = RunError("ExitError", "crash", f"Process exited with code: {status}")
        duration_ms = (time.monotonic() - errand.begun) * 1000
        errand.finish(result=RunResult(None, error, duration_ms=duration_ms, logs_dropped=errand.logs_dropped))

    def _keep_time(self) -> None:
        now = time.monotonic()
        for host, errand in list(self._working.items()):
            if errand is None:
                continue
            if errand.cancel is not None and errand.cancel.asked:
                self._lose(host, RunError("Cancelled", "kill", "The run was cancelled"))
            elif errand.deadline is not None and now >= errand.deadline:
                self._lose(host, RunError("TimeoutError", "kill", f"Job took longer than {errand.timeout_ms}ms to complete"))
        for errand in list(self._waiting):
            if errand.cancel is not None and errand.cancel.asked:
                self._waiting.remove(errand)
                errand.finish(result=RunResult(None, RunError("Cancelled", "kill", "The run was cancelled")))


def _plain_frame(kind: str, payload: bytes) -> tuple[bytes, bytes]:
    return len(payload).to_bytes(4, "little") + kind.encode(), payload


