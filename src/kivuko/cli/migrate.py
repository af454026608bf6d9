"""``kivuko migrate``: the database of a server brought up to date, or moved."""

from __future__ import annotations

import importlib

from kivuko.cli.arguments import Option
from kivuko.cli.call import Call
from kivuko.cli.commands import Command
from kivuko.cli.data_folder import DATA, data_folder

__all__ = ["COMMAND", "migrate"]


def migrate(call: Call) -> int:
    """Bring the database up to date, or move it; 0 when that is done. Raises InputError, RecordsUnavailable."""
    # Imported now: Django is half a second that no other command pays.
    relocation = importlib.import_module("kivuko.server.relocation")
    settings, data = data_folder(call)
    address = call.arguments.text("to")
    code: int = (
        relocation.relocate(settings, data, address, call.log.always)
        if address
        else relocation.bring_up_to_date(settings, data, call.log.always)
    )
    return code


COMMAND = Command(
    name="migrate",
    run=migrate,
    options=(
        DATA,
        Option("to", "Move everything from SQLite into this empty PostgreSQL database: postgresql://user:password@host/name", (), "text"),
    ),
    about="Brings the database of a server up to date, as its start does. With --to it copies a SQLite data folder into PostgreSQL, for "
    "when one machine is too small; the server must not run meanwhile, and the folder stays as it was.",
    examples=("migrate", "migrate --data /srv/kivuko --to postgresql://kivuko@db/kivuko"),
)
