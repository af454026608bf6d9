"""One host: a Node process with its pipes, its state and the Run it is executing."""

from __future__ import annotations

import contextlib
import enum
import fcntl
import os
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from kivuko.engines.frames import Frame, FrameReader, json_frame, raw_frame
from kivuko.engines.run import EgressPolicy, HostKey, Isolation
from kivuko.engines.sandbox import ALL_LAYERS, Child, Confinement, Layer, spawn
from kivuko.engines.settings import EngineSettings, find_node
from kivuko.errors import HostFailed
from kivuko.value import fresh, value

if TYPE_CHECKING:
    from kivuko.engines.egress import EgressGuard

__all__ = ["Host", "HostState", "Profile"]

MOST_STDERR = 16_384
PIPE_SIZE = 1 << 20
# Each takes a quarter of what the pipe holds: together more than a host had written before it answered
READS_OF_LOGS = 8
SMALL_FRAME, LARGE_FRAME = 1 << 24, 1 << 28
WAIT_FOR_EXIT_S = 1.0
# From here on V8 looks for garbage among what lives long. Each Run leaves half a megabyte of context behind, so from V8's own start it
# looks far more often: a tenth more CPU for an Attempt. With 96 a host would hold 50 MB more.
FIRST_HEAP_MB = 64
HERE = Path(__file__).parent
OUT_OF_MEMORY = ("heap out of memory", "heap limit")
# Node's own base of RLIMIT_DATA, and what buffers and wasm may take beside the heap (engine.md §10)
BASE_DATA_MB, OFF_HEAP_MB = 561, 512


class HostState(enum.Enum):
    """Where a host is in its life (engine.md §8.2)."""

    BLANK = "blank"
    IDLE = "idle"
    RUNNING = "running"
    ENDING = "ending"
    DEAD = "dead"


@value
class Profile:
    """What is fixed when a host starts. ``isolated`` hosts serve one Attempt, ``readable`` are folders beyond the store."""

    memory_mb: int
    readable: tuple[str, ...] = ()
    addons: bool = False
    egress: EgressPolicy = fresh(factory=EgressPolicy)
    isolated: bool = False

    @classmethod
    def of(cls, key: HostKey, memory_mb: int, egress: EgressPolicy, isolation: Isolation = Isolation.PROJECT) -> Profile:
        """The profile that a key needs. Modules in folders cannot be renewed, so their host serves one Attempt."""
        readable = tuple(sorted({folder for module in key.modules for folder in module.readable}))
        isolated = isolation is Isolation.ATTEMPT or any(module.form == "folder" for module in key.modules)
        return cls(memory_mb, readable, any(module.addons for module in key.modules), egress, isolated)


class Host:
    """A Node process. Not safe for threads: only the engine's loop touches it."""

    def __init__(self, settings: EngineSettings, profile: Profile) -> None:
        """Starts the process. Raises NodeMissing or HostFailed."""
        self.profile = profile
        self.state = HostState.BLANK
        self.key: HostKey | None = None
        self.attempt: str | None = None
        self.runs = 0
        self.first_rss: int | None = None
        self.last_used = 0.0
        self.deadline: float | None = None
        self.stderr = b""
        self.loaded: Frame | None = None
        self._outgoing: deque[memoryview] = deque()
        rules = _rules(profile.egress)
        with contextlib.ExitStack() as undo:
            self._child = self._start(settings, undo)
            self._guard = None if rules is None else rules(self._child)
            undo.pop_all()
        self._reader = FrameReader(self.output, _frame_limits(profile))
        self._log_reader = FrameReader(self.log, {"l": LARGE_FRAME})

    def _start(self, settings: EngineSettings, undo: contextlib.ExitStack) -> Child:
        """The process. What ``undo`` holds at the end is to be undone when the rest of the start fails."""
        node = str(settings.node or find_node())
        readable = (str(HERE), *((str(settings.store),) if settings.store else ()), *self.profile.readable)
        with contextlib.ExitStack() as theirs:
            try:
                read_in, self.input = _pipe(undo, theirs, reading=False)
                write_out, self.output = _pipe(undo, theirs, reading=True)
                write_log, self.log = _pipe(undo, theirs, reading=True)
                write_errors, self.errors = _pipe(undo, theirs, reading=True)
            except OSError as problem:
                raise HostFailed(f"No pipe to a host could be opened ({problem.strerror})") from problem
            child = spawn(
                [node, *_flags(self.profile, readable), str(HERE / "javascript" / "host.js")],
                env=settings.environment,
                pass_fds={3: read_in, 4: write_out, 5: write_log},
                stderr=write_errors,
                confinement=_confinement(self.profile, node, readable, settings),
            )
        undo.callback(child.wait)
        undo.callback(child.kill)
        return child

    @property
    def missing_layers(self) -> frozenset[Layer]:
        """The layers of the sandbox that this machine lacks."""
        return self._child.missing

    @property
    def pid(self) -> int:
        """The process id, which is also that of its process group."""
        return self._child.pid

    def give(self, key: HostKey, *, guarded: bool) -> None:
        """Turns a blank host into a host of ``key``: it loads the key's modules."""
        self.key = key
        egress = self.profile.egress
        policy = {"blocked": egress.blocked, "allowed": egress.allowed, "unix_sockets": egress.unix_sockets}
        modules = [{"specifier": m.specifier, "key": m.key, "form": m.form, "file": m.file} for m in key.modules]
        self.send(json_frame("P", {"modules": modules, "policy": policy, "guarded": guarded}))

    def ready_builtins(self) -> None:
        """Lets a blank host load, while it waits, the parts of Node that adaptors use."""
        self.send(*raw_frame("B"))

    def send(self, *pieces: bytes) -> None:
        """Queues a frame; what the pipe takes leaves at once. A host that has gone is noticed by its reader."""
        self._outgoing.extend(memoryview(piece) for piece in pieces if piece)
        self.flush()

    @property
    def wants_to_write(self) -> bool:
        """Whether something waits for room in the pipe."""
        return bool(self._outgoing)

    def flush(self) -> None:
        """Writes what the pipe takes."""
        while self._outgoing:
            piece = self._outgoing[0]
            try:
                count = os.write(self.input, piece)
            except BlockingIOError:
                return
            except BrokenPipeError:
                self._outgoing.clear()
                return
            if count == len(piece):
                self._outgoing.popleft()
            else:
                self._outgoing[0] = piece[count:]

    def frames(self) -> Iterator[Frame]:
        """The answers that have arrived. Raises BadFrame."""
        return self._reader.available()

    def log_frames(self) -> Iterator[Frame]:
        """The log lines that have been written by now. Raises BadFrame."""
        for _ in range(READS_OF_LOGS):
            yield from self._log_reader.available()
            if self._log_reader.dry:
                return

    @property
    def ended(self) -> bool:
        """Whether the process has closed its pipe and everything was read."""
        return self._reader.ended

    def read_errors(self) -> bool:
        """Keeps the end of what the process says on stderr; False when it has closed it. Takes a bounded part of what is there."""
        try:
            data = os.read(self.errors, 4 * MOST_STDERR)
        except BlockingIOError:
            return True
        self.stderr = (self.stderr + data)[-MOST_STDERR:]
        return bool(data)

    @property
    def ran_out_of_memory(self) -> bool:
        """Whether V8's last words were about its heap."""
        text = self.stderr.decode("utf-8", "replace")
        return any(words in text for words in OUT_OF_MEMORY)

    def kill(self) -> int:
        """Ends the process group, reaps the process and closes the pipes; gives its exit status (negative: the signal)."""
        if self.state is HostState.DEAD:
            return 0
        self._child.kill()
        return self.bury()

    def bury(self) -> int:
        """Waits for the end of the process, closes the pipes and gives its exit status (negative: the signal).

        A process that has closed its pipe but goes on is killed after a second.
        """
        self.state = HostState.DEAD
        status = self._child.wait(WAIT_FOR_EXIT_S)
        if status is None:
            self._child.kill()
            status = self._child.wait()
        self.read_errors()
        self._child.close()
        if self._guard is not None:
            self._guard.stop()
        for descriptor in (self.input, self.output, self.log, self.errors):
            os.close(descriptor)
        assert status is not None
        return status


def _pipe(undo: contextlib.ExitStack, theirs: contextlib.ExitStack, *, reading: bool) -> tuple[int, int]:
    """A pipe as (the host's end, our end, which never blocks)."""
    ends = os.pipe()
    ours, given = ends if reading else (ends[1], ends[0])
    undo.callback(os.close, ours)
    theirs.callback(os.close, given)
    with contextlib.suppress(OSError, AttributeError):
        fcntl.fcntl(ours, fcntl.F_SETPIPE_SZ, PIPE_SIZE)
    os.set_blocking(ours, False)
    return given, ours


def _frame_limits(profile: Profile) -> dict[str, int]:
    """The longest frame of each type: no state is larger than the memory of the host that writes it."""
    return dict.fromkeys("pceg", SMALL_FRAME) | dict.fromkeys("xf", LARGE_FRAME) | {"d": max(LARGE_FRAME, profile.memory_mb << 20)}


def _rules(policy: EgressPolicy) -> Callable[[Child], EgressGuard | None] | None:
    """Starts level 2 of the egress policy for a host; None where nothing is blocked. Raises InputError for a policy that cannot be read."""
    if not policy.blocked:
        return None
    from kivuko.engines.egress import (  # threads and addresses: the command line, which blocks nothing, starts without them
        Rules,
        guard_child,
    )

    rules = Rules(policy)
    return lambda child: guard_child(child, rules)


def _flags(profile: Profile, readable: tuple[str, ...]) -> list[str]:
    flags = [
        "--no-warnings",
        "--disable-sigusr1",
        f"--max-old-space-size={profile.memory_mb}",
        f"--initial-old-space-size={min(FIRST_HEAP_MB, profile.memory_mb // 4)}",
        "--max-semi-space-size=8",
        "--permission",
        *(f"--allow-fs-read={folder}" for folder in readable),
    ]
    return [*flags, "--allow-addons"] if profile.addons else flags


def _confinement(profile: Profile, node: str, readable: tuple[str, ...], settings: EngineSettings) -> Confinement:
    return Confinement(
        readable=readable,
        executable=(node,),
        data_mb=BASE_DATA_MB + profile.memory_mb + OFF_HEAP_MB,
        unix_sockets=profile.egress.unix_sockets,
        watch_connect=bool(profile.egress.blocked),
        user=settings.user,
        layers=ALL_LAYERS if settings.sandboxed else frozenset(),
    )
