"""Starting a confined process, by whichever way is safe for the caller."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from kivuko.engines.sandbox.birth import bear, thread_count
from kivuko.engines.sandbox.child import Child
from kivuko.engines.sandbox.confinement import Confinement
from kivuko.engines.sandbox.preparation import prepare
from kivuko.errors import HostFailed

__all__ = ["spawn"]


def _fork_here(argv: Sequence[str], env: Mapping[str, str], files: Mapping[int, int], confinement: Confinement) -> Child:
    preparation = prepare(argv, env, confinement)
    try:
        return bear(preparation, files)
    finally:
        preparation.close()


def spawn(argv: Sequence[str], *, env: Mapping[str, str], pass_fds: Mapping[int, int], confinement: Confinement, stderr: int) -> Child:
    """Start ``argv`` (absolute path of the program first) under ``confinement``, in a session of its own and in the folder /.

    A process with one thread forks by itself (the new process ends with that thread); one with several has a fork server do it.
    The environment is exactly ``env``; stdin and stdout are null; ``stderr`` and ``pass_fds`` (child's number to caller's descriptor) are
    the only open files. Returns when the program is running. Raises HostFailed.
    """
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    files = {0: null, 1: null, 2: stderr, **pass_fds}
    try:
        if thread_count() > 1:
            # Imported here: subprocess costs the command line, which has one thread and forks by itself, several milliseconds.
            from kivuko.engines.sandbox.forkserver import fork_server

            return fork_server().spawn(argv, env, files, confinement)
        return _fork_here(argv, env, files, confinement)
    except OSError as error:
        raise HostFailed(f"{argv[0]} could not be started in the sandbox ({error}).") from error
    finally:
        os.close(null)
