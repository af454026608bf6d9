"""``kivuko keys accept``: the secrets of this server become those of all."""

from __future__ import annotations

import importlib

from kivuko.cli.call import Call
from kivuko.cli.commands import Command
from kivuko.cli.data_folder import DATA, data_folder

__all__ = ["COMMAND", "accept"]


def accept(call: Call) -> int:
    """Keep what this server's secrets look like; 0 when that is done. Raises InputError, RecordsUnavailable."""
    # Imported now: Django is half a second that no other command pays.
    rotation = importlib.import_module("kivuko.server.rotation")
    settings, data = data_folder(call)
    code: int = rotation.accept_keys(settings, data, call.log.always)
    return code


COMMAND = Command(
    name="keys accept",
    run=accept,
    options=(DATA,),
    about="Several servers on one PostgreSQL database need the same secrets; one that has others does not start. After a change that was "
    "meant, this takes the secrets that it finds here, in the settings or the data folder, as those of all servers.",
    examples=("keys accept", "keys accept --data /srv/kivuko"),
)
