"""``kivuko keys rotate``: stored secrets encrypted with the newest key."""

from __future__ import annotations

import importlib

from kivuko.cli.call import Call
from kivuko.cli.commands import Command
from kivuko.cli.data_folder import DATA, data_folder

__all__ = ["COMMAND", "rotate"]


def rotate(call: Call) -> int:
    """Encrypt stored secrets anew; 0 when all are. Raises InputError, RecordsUnavailable."""
    # Imported now: Django is half a second that no other command pays.
    rotation = importlib.import_module("kivuko.server.rotation")
    settings, data = data_folder(call)
    code: int = rotation.rotate_keys(settings, data, call.log.always)
    return code


COMMAND = Command(
    name="keys rotate",
    run=rotate,
    options=(DATA,),
    about="Encrypts the stored secrets (credentials, authentication methods, addresses of inboxes) with the newest encryption key. Where "
    "the keys are kept in the data folder, it makes a new one first. It may be broken off and called again; it prints no secret. On SQLite "
    "the server must not run meanwhile.",
    examples=("keys rotate", "keys rotate --data /srv/kivuko"),
)
