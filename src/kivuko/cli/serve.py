"""``kivuko serve``: the platform, or one project file, as a server."""

from __future__ import annotations

import importlib
from pathlib import Path

from kivuko.cli.arguments import Option
from kivuko.cli.call import Call
from kivuko.cli.commands import Command

__all__ = ["COMMAND", "serve"]


def serve(call: Call) -> int:
    """Serve until a signal; 0 when everything under way had ended. Raises InputError, RecordsUnavailable when it cannot start."""
    # Imported now: Django and uvicorn are a second that no other command pays.
    folders = importlib.import_module("kivuko.server.datafolder")
    sources = importlib.import_module("kivuko.server.settings_sources")
    process = importlib.import_module("kivuko.server.process")
    named = call.arguments.text("data")
    data = call.folder / (Path(named).expanduser() if named else folders.default_data_folder(call.environment))
    port = call.arguments.number("port")
    flags = {
        "port": None if port is None else int(port),
        "host": call.arguments.text("host"),
        "worker": call.arguments.flag("worker") if call.arguments.has("worker") else None,
    }
    code: int = process.run_server(sources.read_settings(call.environment, data, flags), data, call.log.always)
    return code


COMMAND = Command(
    name="serve",
    run=serve,
    options=(
        Option("data", "Folder of the database, secrets and large bodies (KIVUKO_DATA, else the system's place for data)", (), "text"),
        Option("port", "Port to listen on (4000; 0 takes any that is free)", ("p",), "number"),
        Option("host", "Address to listen on (127.0.0.1; 0.0.0.0 for all of the machine's)", (), "text"),
        Option("worker", "Run jobs in this process too (on; --no-worker leaves them to `kivuko worker`)"),
    ),
    about="Starts the platform in one process: inboxes, triggers, the queue, a worker, the API. Makes the data folder, its secrets and the "
    "first administrator when they are missing. SIGTERM or Ctrl-C lets what is under way end; a second one ends it at once.",
    examples=("serve", "serve --data /srv/kivuko --port 8080"),
)
