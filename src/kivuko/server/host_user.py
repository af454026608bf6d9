"""Who the jobs' processes are when the server is root: somebody who may do nothing (docs/reference/security.md)."""

from __future__ import annotations

import os
from pathlib import Path

import structlog

from kivuko.adaptors import Layout
from kivuko.engines import find_node
from kivuko.engines.host_user import HOST_PROGRAM, named_user, reason_against
from kivuko.errors import InputError
from kivuko.server.datafolder import DataFolder
from kivuko.worker.sharing import Sharing

__all__ = ["host_user"]

_DEFAULT = "nobody"
_FIX = (
    "Name a user of this machine (KIVUKO_HOST_USER) and let it read Node, Kivuko and the folder of adaptors (KIVUKO_ADAPTORS); "
    "or run the server as a user without privileges."
)

_log = structlog.get_logger(__name__)


def host_user(name: str, adaptors: Path, folder: DataFolder) -> tuple[int, int] | None:
    """The (uid, gid) of hosts; None where they are the server's own user: it is not root, or another user cannot do it.

    Where the default user cannot do it, the log says once why jobs run as root. One that was chosen is what was asked for: then it raises
    InputError instead. Raises NodeMissing.
    """
    if os.getuid() != 0 or not name:
        return None
    layout = Layout(adaptors)
    try:
        user = named_user(name)
        if adaptors.is_relative_to(folder.path):
            folder.let_through(user[1])
        Sharing(layout).bundles()
        reason = reason_against(user, find_node(), (HOST_PROGRAM, layout.bundles))
    except InputError as problem:
        reason = problem.message
    except OSError as problem:
        reason = str(problem)
    if reason is None:
        return user
    if name != _DEFAULT:
        raise InputError(f"jobs cannot run as the user {name!r} of KIVUKO_HOST_USER: {reason}", fix=_FIX)
    _log.warning("jobs run as root, for they cannot run as another user", user=name, reason=reason, fix=_FIX)
    return None
