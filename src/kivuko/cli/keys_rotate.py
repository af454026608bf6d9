"""``kivuko keys rotate``: stored secrets encrypted with the newest key."""

from __future__ import annotations

import importlib
from pathlib import Path

from kivuko.cli.arguments import Option
from kivuko.cli.call import Call
from kivuko.cli.commands import Command

__all__ = ["COMMAND", "rotate"]


def rotate(call: Call) -> int:
    """Encrypt stored secrets anew; 0 when all are. Raises InputError, RecordsUnavailable."""
    # Imported now: Django is half a second that no other command pays.
    rotation = importlib.import_module("kivuko.server.rotation")
    folders = importlib.import_module("kivuko.server.datafolder")
    sources = importlib.import_module("kivuko.server.settings_sources")
    named = call.arguments.text("data")
    data = call.folder / (Path(named).expanduser() if named else folders.default_data_folder(call.environment))
    code: int = rotation.rotate_keys(sources.read_settings(call.environment, data), data, call.log.always)
    return code


COMMAND = Command(
    name="keys rotate",
    run=rotate,
    options=(Option("data", "Folder of the database and secrets (KIVUKO_DATA, else the system's place for data)", (), "text"),),
    about="Encrypts the stored secrets (credentials, authentication methods, addresses of inboxes) with the newest encryption key. Where "
    "the keys are kept in the data folder, it makes a new one first. It may be broken off and called again; it prints no secret. On SQLite "
    "the server must not run meanwhile.",
    examples=("keys rotate", "keys rotate --data /srv/kivuko"),
)
