"""The worker inside the server's process: the same one as on other machines, over a link without a wire (server-and-data §2)."""

from __future__ import annotations

import os
import secrets
import socket
from pathlib import Path

import structlog

from kivuko.adaptors import RepoSettings
from kivuko.errors import RecordsError
from kivuko.records import Abandon, Records, held_attempts
from kivuko.server.foundations import Foundations
from kivuko.server.host_user import host_user
from kivuko.server.lanes.workers import Desk, Identity, local_conversation
from kivuko.worker import Worker, WorkerSettings
from kivuko.worker.link_local import LocalLink
from kivuko.worker.workloops import one_workloop

__all__ = [
    "ALONE",
    "Worker",
    "adaptors_folder",
    "embedded_worker",
    "memory_of_this_machine_mb",
    "release_last_worker",
    "slots_for",
]

ALONE = "embedded"
"""What it is called where there can be only one: the next process knows what the last one held."""

_PATIENCE_S = 30
_MB_FOR_A_SLOT = 300
_BOUND_OF_CONTAINER = Path("/sys/fs/cgroup/memory.max")
_FEWEST_SLOTS, _MOST_SLOTS = 5, 24

_log = structlog.get_logger(__name__)


def embedded_worker(foundations: Foundations, desk: Desk) -> Worker:
    """A worker that claims from this server, to be started and stopped. Raises NodeMissing, InputError."""
    settings = foundations.settings
    alone = foundations.on_sqlite
    name = ALONE if alone else f"{ALONE}-{socket.gethostname()}-{secrets.token_hex(3)}"
    chosen = WorkerSettings(
        name=name,
        workloops=one_workloop(settings.worker_capacity or slots_for(memory_of_this_machine_mb())),
        repo_dir=adaptors_folder(foundations),
        repo=RepoSettings.from_environment(),
        sandbox_user=host_user(settings.host_user, adaptors_folder(foundations), foundations.folder),
        memory_mb=settings.attempt_memory_mb,
        payload_mb=settings.payload_limit_mb,
        timeout_s=settings.attempt_timeout_s,
        # On SQLite nobody else can take its work.
        fences=not alone,
    )
    return Worker(chosen, LocalLink(lambda push: local_conversation(desk, name, push)))


def adaptors_folder(foundations: Foundations) -> Path:
    """Where adaptors are installed: the setting's folder, else the one in the data folder."""
    named = foundations.settings.adaptors
    return Path(named).expanduser().absolute() if named else foundations.folder.adaptors


def slots_for(memory_mb: float) -> int:
    """How many Attempts a machine with so much memory executes at once: jobs' processes may take half of it (100 to 150 MB each)."""
    return max(_FEWEST_SLOTS, min(_MOST_SLOTS, int(memory_mb / _MB_FOR_A_SLOT)))


def memory_of_this_machine_mb() -> float:
    """What all processes here may have together, in MB: the machine's memory, or less where a container has a bound (cgroup v2)."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        bound = int(_BOUND_OF_CONTAINER.read_text())
    except (OSError, ValueError):
        bound = machine
    return min(machine, bound) / 1e6


def release_last_worker(records: Records) -> int:
    """Gives back what the last process's worker held, at once: on SQLite its leases cannot be alive. How many Attempts that were."""
    with records.reading() as connection:
        held = held_attempts(connection, Identity(ALONE).key)
    for future in [records.submit(Abandon(each.attempt_id, each.claim_number)) for each in held]:
        try:
            future.result(_PATIENCE_S)
        except RecordsError as problem:
            _log.info("work of the last process was not given back", reason=problem.message)
    if held:
        _log.info("work of the last process goes on", attempts=len(held))
    return len(held)
