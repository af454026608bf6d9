"""The supervisor: one loop that feeds hosts, reads their frames, keeps time and kills what does not end (engine.md §2, §8, §10).

Plain code over ``selectors``. It has no thread of its own: whoever wants an errand done turns the loop.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import threading
import time
from collections import deque

from kivuko.engines.errand import Errand, read_log_line, read_run
from kivuko.engines.frames import BadFrame, Frame, raw_frame
from kivuko.engines.host import Host, HostState, Profile
from kivuko.engines.pool import SOON_S, Pool
from kivuko.engines.run import HostKey, LogLine, RunError, RunResult
from kivuko.engines.settings import EngineSettings
from kivuko.errors import AdaptorBroken, EngineClosed, EngineError, HostFailed, KivukoError

__all__ = ["Supervisor"]

START_TIMEOUT_MS = 60_000
END_TIMEOUT_MS = 5_000
BLANK_PAUSE_S = 5.0
LOOK_AROUND_S = 0.05
CANCELLED = RunError("Cancelled", "kill", "The run was cancelled")


class Supervisor:
    """Hosts and the errands they work on. Only the thread that turns the loop may call it, ``add`` and ``wake`` apart."""

    def __init__(self, settings: EngineSettings) -> None:
        self.closed = False
        self._pool = Pool(settings, self._forget)
        self._selector = selectors.DefaultSelector()
        self._arriving: deque[Errand] = deque()
        self._waiting: deque[Errand] = deque()
        self._working: dict[Host, Errand] = {}
        self._turning = False
        self._no_blank_before = 0.0
        self._bell_rope = threading.Lock()
        self._alarm, self._bell = os.pipe()
        os.set_blocking(self._alarm, False)
        os.set_blocking(self._bell, False)
        self._selector.register(self._alarm, selectors.EVENT_READ, None)

    def add(self, errand: Errand) -> None:
        """Queues an errand. Safe from any thread, together with ``wake``. Raises EngineClosed."""
        if self.closed:
            raise EngineClosed
        self._arriving.append(errand)

    def wake(self) -> None:
        """Lets the loop look around at once. Safe from any thread, and after the end, too."""
        with self._bell_rope, contextlib.suppress(BlockingIOError):
            if not self.closed:
                os.write(self._bell, b"!")

    def complete(self, errand: Errand) -> Errand:
        """Turns the loop until the errand is done. Raises its problem, or EngineClosed.

        What a callback raises, and an interrupt, ends the errand and its host.
        """
        self.add(errand)
        with contextlib.ExitStack() as undo:
            undo.callback(self._abandon, errand)
            while not errand.done:
                self.turn()
            undo.pop_all()
        if errand.problem is not None:
            raise errand.problem
        return errand

    def prepare(self, key: HostKey, profile: Profile, attempt: str) -> None:
        """Starts a host for ``key`` without waiting for it. Raises HostFailed, NodeMissing, EngineClosed."""
        if self.closed:
            raise EngineClosed
        host = self._pool.acquire(key, profile, attempt, time.monotonic())
        if host is not None:
            host.state = HostState.IDLE
            self._watch(host)

    def end(self, attempt: str) -> None:
        """The Attempt is over: its hosts close its sockets and drop its modules, and are free for others when they have."""
        for host in [host for host in self._pool.hosts if host.attempt == attempt and host.state is HostState.IDLE]:
            host.attempt = None
            if host.profile.isolated:
                self._pool.retire(host)
            else:
                host.state = HostState.ENDING
                host.deadline = time.monotonic() + END_TIMEOUT_MS / 1000
                host.send(*raw_frame("E"))
                self._watch(host)

    def close(self) -> None:
        """Ends all hosts; who waits gets EngineClosed."""
        with self._bell_rope:
            self.closed = True
        for host in list(self._pool.hosts):
            errand = self._working.get(host)
            self._pool.retire(host)
            if errand is not None:
                errand.finish(problem=EngineClosed())
        for errand in [*self._waiting, *self._arriving]:
            errand.finish(problem=EngineClosed())
        self._selector.close()
        os.close(self._alarm)
        os.close(self._bell)

    def turn(self) -> None:
        """One round: places what waits, sleeps until something happens, takes frames, keeps time.

        Raises EngineError when a callback asks the engine something while it is being called.
        """
        if self._turning:
            raise EngineError("The engine was asked something by a callback that it is calling", fix="Ask after the callback has returned.")
        self._turning = True
        try:
            self._turn()
        finally:
            self._turning = False

    def _turn(self) -> None:
        while self._arriving:
            self._waiting.append(self._arriving.popleft())
        finished = self._dispatch()
        if finished:
            return
        for selected, events in self._selector.select(self._patience()):
            if selected.data is None:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._alarm, 4096)
            elif selected.data.state is not HostState.DEAD:
                self._serve(selected.data, selected.fd, events)
        self._read_logs()
        self._keep_time()

    def _patience(self) -> float | None:
        """How long to sleep, in seconds: nothing wakes the loop when a line is written, or when a host has waited long enough."""
        deadlines = [time.monotonic() + LOOK_AROUND_S] if self._working else []
        deadlines += [time.monotonic() + SOON_S] if self._waiting else []
        deadlines += [errand.deadline for errand in self._working.values() if errand.deadline is not None]
        deadlines += [host.deadline for host in self._pool.hosts if host.deadline is not None]
        return max(0.0, min(deadlines) - time.monotonic()) if deadlines else None

    # Placing errands

    def _dispatch(self) -> bool:
        """Gives waiting errands to hosts; whether one of them ended by that."""
        finished = False
        for _ in range(len(self._waiting)):
            errand = self._waiting.popleft()
            if errand.cancel is not None and errand.cancel.asked and not errand.done:
                errand.finish(result=RunResult(None, CANCELLED))
            try:
                placed = errand.done or self._place(errand)
            except KivukoError as problem:
                errand.finish(problem=problem)
                placed = True
            if not placed:
                self._waiting.append(errand)
            finished = finished or errand.done
        if not self._waiting and time.monotonic() >= self._no_blank_before:
            try:
                self._pool.replenish(self._watch)
            except KivukoError:
                self._pause_blank_hosts()  # whoever needs a host meets the same problem and reports it
        return finished

    def _pause_blank_hosts(self) -> None:
        self._no_blank_before = time.monotonic() + BLANK_PAUSE_S

    def _abandon(self, errand: Errand) -> None:
        """Nobody waits for an errand any more: it is forgotten, and its host is ended."""
        for waiting in (self._waiting, self._arriving):
            if errand in waiting:
                waiting.remove(errand)
        for host in [host for host, busy in self._working.items() if busy is errand]:
            self._pool.retire(host)

    def _place(self, errand: Errand) -> bool:
        host = self._pool.acquire(errand.key, errand.profile, errand.attempt, errand.asked_at)
        if host is None:
            return False
        host.attempt = errand.attempt or host.attempt
        if errand.answer == "p" and host.loaded is not None:
            host.state = HostState.IDLE
            errand.finish(reply=host.loaded)
            return True
        host.state, host.last_used = HostState.RUNNING, time.monotonic()
        self._working[host] = errand
        if host.loaded is not None:
            errand.begin(time.monotonic())
        else:
            errand.deadline = time.monotonic() + START_TIMEOUT_MS / 1000
        host.send(*errand.frames())
        self._watch(host)
        return True

    # Watching descriptors

    def _watch(self, host: Host) -> None:
        registered = self._selector.get_map()
        if host.output not in registered:
            self._selector.register(host.output, selectors.EVENT_READ, host)
            self._selector.register(host.errors, selectors.EVENT_READ, host)
        if host.wants_to_write != (host.input in registered):
            if host.wants_to_write:
                self._selector.register(host.input, selectors.EVENT_WRITE, host)
            else:
                self._selector.unregister(host.input)

    def _forget(self, host: Host) -> None:
        self._working.pop(host, None)
        registered = self._selector.get_map()
        for descriptor in (host.output, host.errors, host.input):
            if descriptor in registered:
                self._selector.unregister(descriptor)

    def _serve(self, host: Host, descriptor: int, events: int) -> None:
        if descriptor == host.errors:
            if not host.read_errors():
                self._selector.unregister(host.errors)
        elif events & selectors.EVENT_WRITE:
            host.flush()
            self._watch(host)
        else:
            self._read(host)

    def _read(self, host: Host) -> None:
        try:
            for frame in host.frames():
                self._take(host, frame)
                if host.state is HostState.DEAD:
                    return
        except BadFrame as problem:
            self._forged(host, problem)
            return
        if host.ended:
            self._ended(host)

    def _forged(self, host: Host, problem: BadFrame) -> None:
        self._lose(host, RunError("ProtocolError", "kill", f"The job broke the engine's protocol: {problem}"))

    # Log lines

    def _read_logs(self) -> None:
        for host, errand in list(self._working.items()):
            if errand.cancel is not None and errand.cancel.held:
                continue  # the host waits when its pipe is full
            try:
                self._take_lines(host, errand)
            except BadFrame as problem:
                self._forged(host, problem)

    def _last_lines(self, host: Host, errand: Errand | None) -> None:
        """What a host that ends has written until now; nonsense at its end changes nothing any more."""
        with contextlib.suppress(BadFrame):
            self._take_lines(host, errand)

    def _take_lines(self, host: Host, errand: Errand | None) -> None:
        for frame in host.log_frames():
            self._log(errand, frame)

    # Frames

    def _take(self, host: Host, frame: Frame) -> None:
        errand = self._working.get(host)
        if frame.kind == "g" and errand is not None and errand.on_piece is not None:
            errand.on_piece(bytes(frame.payload))
        elif frame.kind == "p":
            self._loaded(host, errand, frame)
        elif frame.kind == "e":
            self._rested(host, frame)
        elif errand is None or frame.kind != errand.answer:
            raise BadFrame(f"an answer {frame.kind!r} that nobody asked for")
        elif frame.kind == "d":
            self._ran(host, errand, frame)
        else:
            self._release(host)
            errand.finish(reply=frame)

    def _log(self, errand: Errand | None, frame: Frame) -> None:
        if errand is None or errand.on_log is None:
            return
        most = errand.limits.log_bytes
        errand.log_bytes += len(frame.payload)
        if most is None or errand.log_bytes <= most:
            errand.on_log(read_log_line(frame))
            return
        if errand.logs_dropped == 0:
            text = f"The log of this run is longer than {most} bytes: further lines are dropped"
            errand.on_log(LogLine("warn", "R/T", (text,), time.time_ns()))
        errand.logs_dropped += 1

    def _loaded(self, host: Host, errand: Errand | None, frame: Frame) -> None:
        if host.loaded is not None:
            raise BadFrame("modules that nobody asked for")
        answer = frame.json()
        if answer.get("ok") is not True:
            self._pool.retire(host)
            if errand is not None:
                errand.finish(problem=AdaptorBroken(str(answer.get("message")), details=str(answer.get("stack") or "")))
            return
        host.loaded, host.last_used = frame, time.monotonic()
        if errand is not None and errand.answer == "p":
            self._release(host)
            errand.finish(reply=frame)
        elif errand is not None:
            errand.begin(time.monotonic())

    def _ran(self, host: Host, errand: Errand, frame: Frame) -> None:
        self._take_lines(host, errand)
        host.runs += 1
        result, after = read_run(frame, errand)
        self._release(host)
        if after.over:
            host.attempt = None
        unfit = after.leftover or host.profile.isolated or self._pool.worn_out(host, after.rss_bytes)
        if after.dirty or (after.over and unfit):
            self._pool.retire(host)
        errand.finish(result=result)

    def _release(self, host: Host) -> None:
        self._working.pop(host, None)
        host.state = HostState.IDLE
        host.last_used = time.monotonic()

    def _rested(self, host: Host, frame: Frame) -> None:
        if host.state is not HostState.ENDING:
            raise BadFrame("an end that nobody asked for")
        answer = frame.json()
        rss = answer.get("rss")
        host.state, host.deadline = HostState.IDLE, None
        if answer.get("leftover") or not isinstance(rss, int) or self._pool.worn_out(host, rss):
            self._pool.retire(host)

    # Ends that nobody wished for

    def _lose(self, host: Host, error: RunError) -> None:
        """Kills a host in the middle of its errand: the Run ends with ``error``."""
        errand = self._working.get(host)
        working = host.loaded is not None
        self._last_lines(host, errand)
        self._pool.retire(host)
        if errand is not None:
            self._fail(errand, error, HostFailed(error.message if working else "A host process did not start in time"), working=working)

    def _ended(self, host: Host) -> None:
        """A host has closed its pipe by itself: it ran out of memory, exited or crashed."""
        errand = self._working.get(host)
        self._last_lines(host, errand)
        status = self._pool.bury(host)
        if errand is None:
            self._pause_blank_hosts()
            return
        said = host.stderr.decode("utf-8", "replace").strip()
        problem = HostFailed(f"A host process ended with status {status} before it could work", details=said)
        if host.ran_out_of_memory:
            error = RunError("OOMError", "kill", "Run exceeded maximum memory usage")
        else:
            error = RunError("ExitError", "crash", f"Process exited with code: {status}")
        self._fail(errand, error, problem, working=host.loaded is not None)

    def _fail(self, errand: Errand, error: RunError, problem: HostFailed, *, working: bool) -> None:
        if errand.answer != "d" or not working:
            errand.finish(problem=problem)
            return
        duration_ms = (time.monotonic() - errand.begun) * 1000
        errand.finish(result=RunResult(None, error, duration_ms=duration_ms, logs_dropped=errand.logs_dropped))

    def _keep_time(self) -> None:
        now = time.monotonic()
        for host, errand in list(self._working.items()):
            if errand.cancel is not None and errand.cancel.asked:
                self._last_lines(host, errand)
                self._pool.retire(host)
                errand.finish(result=RunResult(None, CANCELLED))
            elif errand.deadline is not None and now >= errand.deadline:
                self._lose(host, RunError("TimeoutError", "kill", f"Job took longer than {errand.timeout_ms}ms to complete"))
        for host in [host for host in self._pool.hosts if host.deadline is not None and now >= host.deadline]:
            self._pool.retire(host)
