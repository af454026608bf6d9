"""``kivuko repo list``: what is installed, and where."""

from __future__ import annotations

from collections.abc import Mapping

from kivuko.adaptors import Layout, installed_versions
from kivuko.cli.call import Call
from kivuko.cli.commands import Command
from kivuko.cli.repo_folder import repo_folder, shown_folder
from kivuko.cli.shared import JSON, REPO_DIR
from kivuko.errors import InputError

__all__ = ["COMMAND", "list_installed"]


def list_installed(call: Call) -> int:
    """Print the folder and a tree of packages and versions."""
    try:
        installed = installed_versions(Layout(repo_folder(call).absolute()))
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
