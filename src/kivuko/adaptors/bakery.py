"""Loads adaptors as hosts do, in a process that can neither write, nor connect, nor start anything (engine.md §11, §12).

Installing runs the code of strangers. What it gives comes back through a pipe and is checked here; nothing in it chooses a path.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import selectors
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import cast

from kivuko.engines.egress import Rules, guard_child
from kivuko.engines.run import EgressPolicy
from kivuko.engines.sandbox import Child, Confinement, spawn
from kivuko.errors import AdaptorBroken, EngineError
from kivuko.value import fresh, value

__all__ = ["Baked", "Bakery"]

_NOWHERE = EgressPolicy(blocked=("0.0.0.0/0", "::/0"), unix_sockets=False)
_DATA_MB = 4096
_MOST_BYTES = 1 << 28
_MOST_WORDS = 16_384
_READ_SIZE = 1 << 18
_CACHE_KEY = re.compile(r"[\w][\w.+-]{0,100}", re.ASCII)


@value
class Baked:
    """A package that was loaded: its export names, V8's code caches by script, the key of the V8 they are good for, and ``late``.

    ``late`` are the names of what its modules import, by module id, for the manifest of the bundle.
    """

    names: tuple[str, ...]
    cache_key: str
    caches: Mapping[str, bytes] = fresh(factory=dict)
    late: Mapping[str, Sequence[str]] = fresh(factory=dict)


@value
class Bakery:
    """A Node binary with the flags of hosts, and the program that loads. ``time_limit_s`` bounds one load."""

    node: Path
    flags: tuple[str, ...]
    program: tuple[str, ...]
    time_limit_s: float = 300

    def bake(self, question: Mapping[str, object], readable: Sequence[str], *, scripts: Collection[str], addons: bool = False) -> Baked:
        """Loads one package, which may read ``readable`` only. ``scripts`` are the files whose code caches are taken.

        Raises AdaptorBroken when it does not load or answers with something else.
        """
        allowed = [f"--allow-fs-read={folder}" for folder in readable]
        command = [str(self.node), *self.flags, *allowed, *(["--allow-addons"] if addons else []), *self.program]
        try:
            answer, words = self._run(command, json.dumps(question).encode(), readable)
        except (OSError, EngineError) as problem:
            raise AdaptorBroken(f"Node.js cannot be started: {problem}", fix="Check Node.js with `kivuko doctor`.") from problem
        if not answer:
            raise AdaptorBroken("it ended Node.js while it was loaded", details=words.decode(errors="replace").strip()[-2000:])
        return _read(answer, scripts)

    def _run(self, command: Sequence[str], question: bytes, readable: Sequence[str]) -> tuple[bytes, bytes]:
        with contextlib.ExitStack() as mine, contextlib.ExitStack() as theirs, contextlib.ExitStack() as asking:
            read_in, write_in = _pipe(theirs, asking)
            errors, write_errors = _pipe(mine, theirs)
            answers, write_out = _pipe(mine, theirs)
            confinement = Confinement(tuple(readable), (str(self.node),), data_mb=_DATA_MB, watch_connect=True)
            child = spawn(command, env={}, pass_fds={3: read_in, 4: write_out}, stderr=write_errors, confinement=confinement)
            mine.callback(child.close)
            mine.callback(child.wait)
            mine.callback(child.kill)
            theirs.close()
            guard = guard_child(child, Rules(_NOWHERE, servers=lambda: ()))
            if guard is not None:
                mine.callback(guard.close)
            with contextlib.suppress(BrokenPipeError):  # it has ended: its words say why
                os.write(write_in, question)  # shorter than a pipe
            asking.close()
            return self._listen(answers, errors, child)

    def _listen(self, answers: int, errors: int, child: Child) -> tuple[bytes, bytes]:
        """What comes out of both pipes until they end. Raises AdaptorBroken after the time limit and for endless answers."""
        deadline = time.monotonic() + self.time_limit_s
        answer, words = bytearray(), b""
        with selectors.DefaultSelector() as selector:
            selector.register(answers, selectors.EVENT_READ)
            selector.register(errors, selectors.EVENT_READ)
            while selector.get_map():
                ready = selector.select(max(0, deadline - time.monotonic()))
                if not ready or len(answer) > _MOST_BYTES:
                    child.kill()
                    raise AdaptorBroken("it gives no end of an answer" if ready else f"it did not load within {self.time_limit_s:g} s")
                for key, _ in ready:
                    data = os.read(key.fd, _READ_SIZE)
                    if not data:
                        selector.unregister(key.fd)
                    elif key.fd == answers:
                        answer += data
                    else:
                        words = (words + data)[-_MOST_WORDS:]
        return bytes(answer), words


def _pipe(reader: contextlib.ExitStack, writer: contextlib.ExitStack) -> tuple[int, int]:
    ends = os.pipe()
    reader.callback(os.close, ends[0])
    writer.callback(os.close, ends[1])
    return ends


def _read(answer: bytes, scripts: Collection[str]) -> Baked:
    """The answer: a line of JSON, then the code caches one after the other."""
    head, _, body = answer.partition(b"\n")
    try:
        given = json.loads(head)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise AdaptorBroken("it spoiled the answer of the program that loads it")
    if given.get("ok") is not True:
        raise AdaptorBroken(str(given.get("reason")))
    names, key, sizes, late = (given.get(name) for name in ("names", "cacheKey", "caches", "late"))
    if not (_texts(names) and isinstance(key, str) and _CACHE_KEY.fullmatch(key) and isinstance(sizes, list) and isinstance(late, dict)):
        raise AdaptorBroken("it spoiled the answer of the program that loads it")
    if not all(map(_texts, late.values())):
        raise AdaptorBroken("it spoiled the answer of the program that loads it")
    return Baked(tuple(cast("list[str]", names)), key, _caches(sizes, body, scripts), late)


def _caches(sizes: list[object], body: bytes, scripts: Collection[str]) -> dict[str, bytes]:
    caches: dict[str, bytes] = {}
    at = 0
    for pair in sizes:
        match pair:
            case [str(file), int(size)] if file in scripts and 0 < size <= len(body) - at:
                caches[file] = body[at : at + size]
                at += size
            case _:
                raise AdaptorBroken("it spoiled the code caches of its bundle")
    return caches


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
