"""The process of ``kivuko serve``: it starts, serves until it is told to stop, drains and ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import structlog
import uvicorn

from kivuko import __version__
from kivuko.platform.accounts.administrator import first_administrator
from kivuko.projects.microservice import MicroserviceProject
from kivuko.records import SqliteDatabase, database_at
from kivuko.server.assembly import Assembly
from kivuko.server.bounded_http import BoundedHttp
from kivuko.server.datafolder import DataFolder
from kivuko.server.foundations import Foundations, lay_foundations
from kivuko.server.garbage import calm_garbage_collector, wake_garbage_collector
from kivuko.server.listening import listen, url_of
from kivuko.server.logs import set_up_logs
from kivuko.server.project_file import apply_project
from kivuko.server.settings import ServerSettings
from kivuko.server.signals import Signals

__all__ = ["ProjectToServe", "run_server"]

_KEEP_ALIVE_S = 75
_LARGEST_FRAME_BYTES = 64 * 1024 * 1024

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class ProjectToServe:
    """A project as it was read, and whether its inbox answers when the jobs have ended."""

    found: MicroserviceProject
    sync: bool


def run_server(settings: ServerSettings, data: Path, tell: Callable[[str], None], project: ProjectToServe | None = None) -> int:
    """Serves until SIGTERM or SIGINT; the exit code: 0 when drained. ``tell`` gets the sentences for whoever started it.

    Raises InputError of several kinds and RecordsUnavailable when it cannot start.
    """
    # Whatever is made from here on is its owner's only: database, bodies, sockets.
    os.umask(0o077)
    set_up_logs(settings.log_format, settings.log_level)
    with ExitStack() as stack:
        folder = DataFolder.open(data)
        stack.enter_context(_sqlite_alone(settings, folder))
        listening = stack.enter_context(contextlib.closing(listen(settings.host, settings.port)))
        foundations = lay_foundations(settings, folder, settings.url.rstrip("/") or url_of(listening))
        stack.callback(foundations.close)
        _introduce(settings, tell)
        if project:
            foundations = replace(foundations, served=apply_project(project.found, sync=project.sync))
        asyncio.run(_serve(foundations, listening, tell))
    return 0


def _introduce(settings: ServerSettings, tell: Callable[[str], None]) -> None:
    """Makes the first administrator, once, and says how to sign in: nowhere else and never again."""
    made = first_administrator(settings.admin_email, settings.admin_password, settings.admin_token)
    if made is None:
        return
    tell(f"The first administrator is {made.email}. This is shown once:")
    if made.sign_in_link:
        tell(f"  sign in:   {made.sign_in_link}")
    if made.token:
        tell(f"  API token: {made.token}")


@contextmanager
def _sqlite_alone(settings: ServerSettings, folder: DataFolder) -> Iterator[None]:
    """Holds the lock beside a SQLite file; PostgreSQL needs none."""
    database = database_at(settings.database_url, folder.path)
    if not isinstance(database, SqliteDatabase):
        yield
        return
    with DataFolder.open(database.path.parent).alone():
        yield


class _Server(uvicorn.Server):
    """uvicorn without its own hearing of signals: they are ours."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _serve(foundations: Foundations, listening: socket.socket, tell: Callable[[str], None]) -> None:
    settings = foundations.settings
    with Signals() as signals:
        assembly = Assembly(foundations)
        config = uvicorn.Config(
            assembly.app,
            http=BoundedHttp,
            ws="websockets-sansio",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=max(1, round(settings.shutdown_grace_s)),
            ws_max_size=_LARGEST_FRAME_BYTES,
        )
        server = _Server(config)
        serving = asyncio.create_task(server.serve([listening]))
        try:
            await assembly.start()
            if foundations.served:
                tell(f"POST {foundations.public_url}/inbox takes messages")
            tell(f"Kivuko {__version__} serves {foundations.public_url} (Ctrl-C ends it)")
            _log.info("serving", url=foundations.public_url, data=str(foundations.folder.path))
            calming = asyncio.create_task(_calm(assembly))
            stop = asyncio.create_task(signals.first())
            await asyncio.wait({stop, serving}, return_when=asyncio.FIRST_COMPLETED)
            stop.cancel()
            calming.cancel()
            await _drain(assembly, server, serving, settings)
        finally:
            await assembly.close()
    _log.info("stopped")


async def _calm(assembly: Assembly) -> None:
    try:
        await assembly.warmed_up()
        await asyncio.to_thread(calm_garbage_collector)
    finally:
        wake_garbage_collector()


async def _drain(assembly: Assembly, server: uvicorn.Server, serving: asyncio.Task[None], settings: ServerSettings) -> None:
    """First the world is told, then nothing new is taken, then what is under way may end."""
    _log.info("stopping", grace_s=settings.shutdown_grace_s)
    assembly.readiness.stopping = True
    await asyncio.sleep(settings.drain_delay_s)
    handing_back = asyncio.create_task(assembly.hand_back(settings.shutdown_grace_s))
    assembly.end_streams()
    server.should_exit = True
    await serving
    await handing_back
