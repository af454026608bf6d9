"""Starting a confined process, by whichever way is safe for the caller."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from kivuko.engines.sandbox.birth import bear
from kivuko.engines.sandbox.child import Child
from kivuko.engines.sandbox.confinement import Confinement
from kivuko.engines.sandbox.preparation import prepare
from kivuko.errors import HostFailed

__all__ = ["spawn"]


def spawn(argv: Sequence[str], *, env: Mapping[str, str], pass_fds: Mapping[int, int], confinement: Confinement, stderr: int) -> Child:
    """Start ``argv`` (absolute path of the program first) under ``confinement``, in a session of its own and in the folder /.

    The environment is exactly ``env``; stdin and stdout are null; ``stderr`` and ``pass_fds`` (child's number to caller's descriptor) are
    the only open files. Returns when the program is running. Raises HostFailed.
    """
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    try:
        preparation = prepare(argv, env, confinement)
        try:
            return bear(preparation, {0: null, 1: null, 2: stderr, **pass_fds})
        finally:
            preparation.close()
    except OSError as error:
        raise HostFailed(f"{argv[0]} could not be started in the sandbox ({error}).") from error
    finally:
        os.close(null)
