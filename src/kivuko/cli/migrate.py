"""``kivuko migrate``: the database of a server brought up to date, or moved."""

from __future__ import annotations

import importlib
from pathlib import Path

from kivuko.cli.arguments import Option
from kivuko.cli.call import Call
from kivuko.cli.commands import Command

__all__ = ["COMMAND", "migrate"]


def migrate(call: Call) -> int:
    """Bring the database up to date, or move it; 0 when that is done. Raises InputError, RecordsUnavailable."""
    # Imported now: Django is half a second that no other command pays.
    relocation = importlib.import_module("kivuko.server.relocation")
    folders = importlib.import_module("kivuko.server.datafolder")
    sources = importlib.import_module("kivuko.server.settings_sources")
    named = call.arguments.text("data")
    data = call.folder / (Path(named).expanduser() if named else folders.default_data_folder(call.environment))
    settings = sources.read_settings(call.environment, data)
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
        Option("data", "Folder of the database and secrets (KIVUKO_DATA, else the system's place for data)", (), "text"),
        Option("to", "Move everything from SQLite into this empty PostgreSQL database: postgresql://user:password@host/name", (), "text"),
    ),
    about="Brings the database of a server up to date, as its start does. With --to it copies a SQLite data folder into PostgreSQL, for "
    "when one machine is too small; the server must not run meanwhile, and the folder stays as it was.",
    examples=("migrate", "migrate --data /srv/kivuko --to postgresql://kivuko@db/kivuko"),
)
