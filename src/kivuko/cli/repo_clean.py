"""``kivuko repo clean``: remove everything that is installed."""

from __future__ import annotations

import sys
from pathlib import Path

from kivuko.adaptors import Repo
from kivuko.adaptors.layout import Layout, read_json
from kivuko.cli.arguments import Option
from kivuko.cli.call import Call
from kivuko.cli.commands import Command
from kivuko.cli.own_engine import open_engine
from kivuko.cli.repo_folder import repo_folder, shown_folder
from kivuko.cli.shared import JSON, REPO_DIR
from kivuko.errors import InputError

__all__ = ["COMMAND", "clean"]


def clean(call: Call) -> int:
    """Ask, then delete the folder. Raises InputError for a folder that holds more, InstallFailed when something is left."""
    folder = repo_folder(call)
    if folder.resolve() in (Path.home(), call.folder.resolve(), *call.folder.resolve().parents):
        raise InputError(
            f"{folder} is no folder of adaptors alone",
            details="The working folder or your home lies there.",
            fix="Check --repo-dir and OPENFN_REPO_DIR.",
        )
    _refuse_others(folder)
    if not call.arguments.flag("force") and not _agreed(
        f"This will remove everything at {shown_folder(call)}. Do you wish to proceed? (y/N) "
    ):
        call.log.always("Cancelled. Nothing was removed; -f asks no question")
        call.result({"removed": None})
        return 1
    with open_engine(call) as engine:
        Repo(folder, loader=engine).clean()
    call.log.success("Repo cleaned")
    call.result({"removed": str(folder)})
    return 0


def _refuse_others(folder: Path) -> None:
    """Raise InputError unless the folder is there and is a repo: ours keeps .kivuko in it, OpenFn's has a list of versions side by side."""
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}", fix="Check --repo-dir and OPENFN_REPO_DIR; nothing was removed.")
    layout = Layout(folder)
    listed = read_json(layout.package_json)
    if any(folder.iterdir()) and not layout.own.is_dir() and listed.get("name") != "openfn-repo":
        raise InputError(
            f"{folder} is no folder of adaptors",
            details="It has neither a .kivuko folder nor the package.json of an adaptor repo.",
            fix="Check --repo-dir and OPENFN_REPO_DIR; nothing was removed.",
        )


def _agreed(question: str) -> bool:
    sys.stderr.write(question)
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


COMMAND = Command(
    name="repo-clean",
    run=clean,
    options=(Option("force", "Ask no question", ("f", "y", "yes")), REPO_DIR, JSON),
    about="Removes the repo folder with all adaptors; they are installed again when they are needed.",
)
