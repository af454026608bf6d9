"""``kivuko serve``: the platform, or one project file, as a server."""

from __future__ import annotations

import hashlib
import importlib
import tempfile
from pathlib import Path

from kivuko.cli.arguments import Option
from kivuko.cli.call import Call
from kivuko.cli.commands import Command
from kivuko.errors import OptionInvalid

__all__ = ["COMMAND", "serve"]

_PROJECT_PORT = 4001


def serve(call: Call) -> int:
    """Serve until a signal; 0 when everything under way had ended. Raises InputError, RecordsUnavailable when it cannot start."""
    file = call.folder / Path(call.arguments.words[0]).expanduser() if call.arguments.words else None
    for option in ("sync", "stateless"):
        if file is None and call.arguments.flag(option):
            raise OptionInvalid(option, f"--{option} is for a project file", fix=f"Name one: {call.program} serve project.yaml --{option}")
    if call.arguments.flag("stateless"):
        if call.arguments.has("data"):
            raise OptionInvalid("stateless", "--stateless keeps nothing, and --data says where", fix="Leave one of them out.")
        with tempfile.TemporaryDirectory(prefix="kivuko-") as folder:
            return _start(call, file, Path(folder))
    return _start(call, file, _data_folder(call, file))


def _start(call: Call, file: Path | None, data: Path) -> int:
    with importlib.import_module("kivuko.server.garbage").resting_garbage_collector():
        return _serve(call, file, data)


def _serve(call: Call, file: Path | None, data: Path) -> int:
    # Imported now: Django and uvicorn are a second that no other command pays.
    process = importlib.import_module("kivuko.server.process")
    sources = importlib.import_module("kivuko.server.settings_sources")
    port = call.arguments.number("port")
    flags = {
        "port": None if port is None else int(port),
        "host": call.arguments.text("host"),
        "worker": call.arguments.flag("worker") if call.arguments.has("worker") else None,
    }
    usual = {"port": _PROJECT_PORT} if file else {}
    settings = sources.read_settings(call.environment, data, flags, usual)
    code: int = process.run_server(settings, data, call.log.always, _project(call, file) if file else None)
    return code


def _project(call: Call, file: Path) -> object:
    """The project of the file, with what a person should know said. Raises InputError, FileMissing."""
    reader = importlib.import_module("kivuko.projects.microservice_file")
    process = importlib.import_module("kivuko.server.process")
    found = reader.read_microservice_project(file, call.environment)
    for warning in found.warnings:
        call.log.warn(warning)
    return process.ProjectToServe(found, call.arguments.flag("sync"))


def _data_folder(call: Call, file: Path | None) -> Path:
    """``--data``, else KIVUKO_DATA, else the system's place for data: there each project file has a folder of its own."""
    named = call.arguments.text("data")
    if named:
        return call.folder / Path(named).expanduser()
    default: Path = importlib.import_module("kivuko.server.datafolder").default_data_folder(call.environment)
    if file is None or call.environment.get("KIVUKO_DATA"):
        return call.folder / default
    digest = hashlib.sha256(str(file.absolute().resolve()).encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return default / "projects" / f"{file.absolute().parent.name}-{digest}"


COMMAND = Command(
    name="serve",
    run=serve,
    options=(
        Option("data", "Folder of the database, secrets and large bodies (KIVUKO_DATA, else the system's place for data)", (), "text"),
        Option("port", "Port to listen on (4000, with a project file 4001; 0 takes any that is free)", ("p",), "number"),
        Option("host", "Address to listen on (127.0.0.1; 0.0.0.0 for all of the machine's)", (), "text"),
        Option("worker", "Run jobs in this process too (on; --no-worker leaves them to `kivuko worker`)"),
        Option("sync", "With a project file: POST /inbox answers when the jobs have ended, with their exit codes and logs"),
        Option("stateless", "With a project file: keep nothing when the server ends"),
    ),
    takes=1,
    about="Starts the platform in one process: inboxes, triggers, the queue, a worker, the API. Makes the data folder, its secrets and the "
    "first administrator when they are missing. With a project file (generation v2: jobs, triggers, credentials) it serves that project, "
    "as OpenFn's microservice did. SIGTERM or Ctrl-C lets what is under way end; a second one ends it at once.",
    examples=("serve", "serve --data /srv/kivuko --port 8080", "serve project.yaml --sync"),
)
