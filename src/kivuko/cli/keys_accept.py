"""``kivuko keys accept``: the secrets of this server become those of all."""

from __future__ import annotations

import importlib
from pathlib import Path

from kivuko.cli.arguments import Option
from kivuko.cli.call import Call
from kivuko.cli.commands import Command

__all__ = ["COMMAND", "accept"]


def accept(call: Call) -> int:
    """Keep what this server's secrets look like; 0 when that is done. Raises InputError, RecordsUnavailable."""
    # Imported now: Django is half a second that no other command pays.
    rotation = importlib.import_module("kivuko.server.rotation")
    folders = importlib.import_module("kivuko.server.datafolder")
    sources = importlib.import_module("kivuko.server.settings_sources")
    named = call.arguments.text("data")
    data = call.folder / (Path(named).expanduser() if named else folders.default_data_folder(call.environment))
    code: int = rotation.accept_keys(sources.read_settings(call.environment, data), data, call.log.always)
    return code


COMMAND = Command(
    name="keys accept",
    run=accept,
    options=(Option("data", "Folder of the server's secrets (KIVUKO_DATA, else the system's place for data)", (), "text"),),
    about="Several servers on one PostgreSQL database need the same secrets; one that has others does not start. After a change that was "
    "meant, this takes the secrets that it finds here, in the settings or the data folder, as those of all servers.",
    examples=("keys accept", "keys accept --data /srv/kivuko"),
)
