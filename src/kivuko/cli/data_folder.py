"""The data folder that a command about a server names, and the settings that hold there."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from kivuko.cli.arguments import Option
from kivuko.cli.call import Call

if TYPE_CHECKING:
    from kivuko.server.settings import ServerSettings

__all__ = ["DATA", "data_folder"]

DATA = Option("data", "Folder of the database and secrets (KIVUKO_DATA, else the system's place for data)", (), "text")


def data_folder(call: Call) -> tuple[ServerSettings, Path]:
    """The settings, and the folder that ``--data`` or the environment names. Raises InputError."""
    # Imported now: no other command pays for them.
    folders = importlib.import_module("kivuko.server.datafolder")
    sources = importlib.import_module("kivuko.server.settings_sources")
    named = call.arguments.text("data")
    data = call.folder / (Path(named).expanduser() if named else folders.default_data_folder(call.environment))
    return sources.read_settings(call.environment, data), data
