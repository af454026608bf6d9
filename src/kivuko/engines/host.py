"""One host: a Node process with its pipes, its state and the Run it is executing."""

from __future__ import annotations

import contextlib
import enum
import fcntl
import os
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from kivuko.engines.frames import Frame, FrameReader, json_frame, raw_frame
from kivuko.engines.run import EgressPolicy, HostKey
from kivuko.engines.sandbox import ALL_LAYERS, Child, Confinement, spawn
from kivuko.engines.settings import EngineSettings, find_node
from kivuko.value import value

if TYPE_CHECKING:
    from kivuko.engines.egress import EgressGuard

__all__ = ["Host", "HostState", "Profile"]

FRAMES_FROM_HOST = "plcdexfg"
MOST_STDERR = 16_384
PIPE_SIZE = 1 << 20
LARGEST_FRAME = (1 << 32) - 1
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
    """What is fixed when a host starts: heap limit, folders beyond the store, native addons, egress policy."""

    memory_mb: int
    readable: tuple[str, ...]
    addons: bool
    egress: EgressPolicy

    @classmethod
    def of(cls, key: HostKey, memory_mb: int, egress: EgressPolicy) -> Profile:
        """The profile that a key needs."""
        readable = tuple(sorted({folder for module in key.modules for folder in module.readable}))
        return cls(memory_mb, readable, any(module.addons for module in key.modules), egress)


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
        self.isolated = False
        self._outgoing: deque[memoryview] = deque()
        self._child = self._start(settings)
        self._guard = _guarded(self._child, profile.egress)
        self.reader = FrameReader(self.output, FRAMES_FROM_HOST, LARGEST_FRAME)

    def _start(self, settings: EngineSettings) -> Child:
        read_in, self.input = os.pipe()
        self.output, write_out = os.pipe()
        self.errors, write_errors = os.pipe()
        for descriptor in (self.input, self.output):
            with contextlib.suppress(OSError, AttributeError):
                fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, PIPE_SIZE)
        for descriptor in (self.input, self.output, self.errors):
            os.set_blocking(descriptor, False)
        try:
            node = str(settings.node or find_node())
            readable = (str(HERE), *((str(settings.store),) if settings.store else ()), *self.profile.readable)
            return spawn(
                [node, *_flags(self.profile, readable), str(HERE / "javascript" / "host.js")],
                env=settings.environment,
                pass_fds={3: read_in, 4: write_out},
                stderr=write_errors,
                confinement=_confinement(self.profile, node, readable, sandboxed=settings.sandboxed),
            )
        finally:
            for descriptor in (read_in, write_out, write_errors):
                os.close(descriptor)

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
        """The frames that have arrived. Raises BadFrame."""
        return self.reader.available()

    def read_errors(self) -> bool:
        """Keeps the end of what the process says on stderr; False when it has closed it."""
        try:
            while data := os.read(self.errors, MOST_STDERR):
                self.stderr = (self.stderr + data)[-MOST_STDERR:]
        except BlockingIOError:
            return True
        return False

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
        """Waits for the end of the process, closes the pipes and gives its exit status (negative: the signal)."""
        self.state = HostState.DEAD
        status = self._child.wait()
        self.read_errors()
        self._child.close()
        if self._guard is not None:
            self._guard.close()
        for descriptor in (self.input, self.output, self.errors):
            os.close(descriptor)
        assert status is not None
        return status


def _guarded(child: Child, policy: EgressPolicy) -> EgressGuard | None:
    """Level 2 of the egress policy for a host that has one."""
    if not policy.blocked:
        return None
    from kivuko.engines.egress import (  # threads and addresses: the command line, which blocks nothing, starts without them
        Rules,
        guard_child,
    )

    return guard_child(child, Rules(policy))


def _flags(profile: Profile, readable: tuple[str, ...]) -> list[str]:
    flags = [
        "--no-warnings",
        "--disable-sigusr1",
        f"--max-old-space-size={profile.memory_mb}",
        "--max-semi-space-size=8",
        "--permission",
        *(f"--allow-fs-read={folder}" for folder in readable),
    ]
    return [*flags, "--allow-addons"] if profile.addons else flags


def _confinement(profile: Profile, node: str, readable: tuple[str, ...], *, sandboxed: bool) -> Confinement:
    return Confinement(
        readable=readable,
        executable=(node,),
        data_mb=BASE_DATA_MB + profile.memory_mb + OFF_HEAP_MB,
        unix_sockets=profile.egress.unix_sockets,
        watch_connect=bool(profile.egress.blocked),
        layers=ALL_LAYERS if sandboxed else frozenset(),
    )
