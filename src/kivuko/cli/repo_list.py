"""``kivuko repo list``: what is installed, and where."""

from __future__ import annotations

from collections.abc import Mapping

from kivuko.adaptors import Repo
from kivuko.cli.call import Call
from kivuko.cli.commands import Command
from kivuko.cli.own_engine import open_engine, repo_folder
from kivuko.cli.shared import JSON, REPO_DIR
from kivuko.errors import InputError

__all__ = ["COMMAND", "list_installed", "shown_folder"]


def list_installed(call: Call) -> int:
    """Print the folder and a tree of packages and versions."""
    try:
        with open_engine(call) as engine:
            installed = Repo(repo_folder(call), loader=engine).installed()
    except OSError as problem:
        raise InputError(
            f"{repo_folder(call)} cannot be read", details=str(problem), fix="Name another folder with --repo-dir."
        ) from problem
    call.result({"folder": str(repo_folder(call)), "packages": {name: list(versions) for name, versions in installed.items()}})
    call.log.always(f"Repo working directory is: {shown_folder(call)}")
    if call.environment.get("OPENFN_REPO_DIR"):
        call.log.info(f"OPENFN_REPO_DIR is set to {call.environment['OPENFN_REPO_DIR']}")
    if installed:
        call.log.always("Installed packages:\n\n" + "\n".join(_tree(installed)))
    else:
        call.log.always("No packages installed")
    return 0


def shown_folder(call: Call) -> str:
    """The repo folder as it was named."""
    return call.arguments.text("repo-dir") or str(repo_folder(call))


def _tree(installed: Mapping[str, tuple[str, ...]]) -> list[str]:
    lines = []
    for name, versions in installed.items():
        lines.append(f"├─ {name}")
        lines += [f"│  {'└─' if version == versions[-1] else '├─'} {version}" for version in versions]
    return lines


COMMAND = Command(
    name="repo-list",
    run=list_installed,
    options=(REPO_DIR, JSON),
    takes=None,
    about="Shows the repo folder and the adaptors and packages that are installed there.",
)
