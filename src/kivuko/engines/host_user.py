"""Whether hosts can be another user than the one who runs the engine: tried out, for it depends on folders, containers and kernels."""

from __future__ import annotations

import os
import pwd
from collections.abc import Sequence
from pathlib import Path

from kivuko.engines.sandbox import Confinement, spawn
from kivuko.errors import HostFailed, InputError

__all__ = ["HOST_PROGRAM", "named_user", "reason_against"]

HOST_PROGRAM = Path(__file__).parent
"""The folder of the program that hosts run."""

_READS = "for (const path of process.argv.slice(1)) require('node:fs').accessSync(path, 4)"
_PATIENCE_S = 20
_MOST_BYTES = 16_384


def named_user(text: str) -> tuple[int, int]:
    """(uid, gid) of a user by name, or of ``uid:gid``. Raises InputError for one that does not exist."""
    uid, _, gid = text.partition(":")
    if uid.isdecimal() and gid.isdecimal():
        return int(uid), int(gid)
    try:
        found = pwd.getpwnam(text)
    except KeyError:
        raise InputError(f"there is no user {text!r} on this machine", fix="Name one that exists, or give uid:gid.") from None
    return found.pw_uid, found.pw_gid


def reason_against(user: tuple[int, int], node: Path, folders: Sequence[Path]) -> str | None:
    """Why hosts cannot be ``user`` (uid, gid), if they cannot: a process is started as hosts are, which reads the folders (50 ms)."""
    read, written = os.pipe()
    places = tuple(map(str, folders))
    terms = Confinement(readable=places, executable=(str(node),), user=user, watch_connect=True)
    try:
        try:
            child = spawn([str(node), "-e", _READS, *places], env={}, pass_fds={}, confinement=terms, stderr=written)
        except HostFailed as problem:
            return problem.message
        finally:
            os.close(written)
        status = child.wait(_PATIENCE_S)
        if status is None:
            child.kill()
            child.wait()
        if child.listener is not None:
            os.close(child.listener)
        child.close()
        return None if status == 0 else _last_words(os.read(read, _MOST_BYTES).decode(errors="replace"), status)
    finally:
        os.close(read)


def _last_words(text: str, status: int | None) -> str:
    lines = [line.strip() for line in text.splitlines() if line.startswith("Error:")]
    return lines[0].removeprefix("Error: ") if lines else f"a process of that user ended with status {status}"
