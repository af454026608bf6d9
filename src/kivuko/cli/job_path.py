"""What a path names: a job or a workflow (cli.md §3.1). Anything else is refused with the rules and with names that are near."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Literal

from kivuko.cli.arguments import near_names
from kivuko.cli.commands import COMMANDS
from kivuko.errors import InputError

__all__ = ["PathKind", "kind_of"]

PathKind = Literal["expression", "workflow"]

_WORKFLOW = re.compile(r"\.(json|ya?ml)$")
_RULES = "A job is a file that ends in .js, a workflow one that ends in .json, .yaml or .yml."
_CANDIDATES = 500


def kind_of(path: str, folder: Path, workspace: Path) -> PathKind:
    """Whether ``path`` is an expression or a workflow file. Raises InputError for a folder, another ending, or a bare name."""
    if path.endswith(".js"):
        return "expression"
    if _WORKFLOW.search(path):
        return "workflow"
    found = (folder / path).expanduser()
    near = _hint(path, found.parent if os.path.isdir(found.parent) else folder, folder)
    if os.path.isdir(found):  # unlike Path.is_dir, it takes a name that is too long for the disk
        files = sorted(str(Path(path, file.name)) for file in found.iterdir() if file.suffix in (".js", ".json", ".yaml", ".yml"))[:5]
        inside = f" It contains {', '.join(files)}." if files else ""
        raise InputError(f"{path} is a folder", details=_RULES + inside, fix="Name the file in it that you want to run.")
    if os.path.isfile(found):
        raise InputError(f"{path} is neither a job nor a workflow", details=_RULES, fix=f"Rename it, or name another file.{near}")
    raise InputError(
        f'Could not find Workflow "{path}"',
        details=f"{_missing_workspace(workspace)}{_RULES} There is no file or command {path}.",
        fix=f"Give the path of a job or of a workflow, with its ending.{near}",
    )


def _missing_workspace(workspace: Path) -> str:
    for name in ("openfn.yaml", "openfn.json"):
        if (workspace / name).exists():
            return f"There is a workspace ({workspace / name}), but workflows are run by their path, not by name. "
    return f"Could not find openfn.yaml at {workspace}. "


def _hint(path: str, beside: Path, folder: Path) -> str:
    files = [
        str(file.relative_to(folder)) if file.is_relative_to(folder) else str(file)
        for file, _ in zip(beside.iterdir(), range(_CANDIDATES), strict=False)
        if kind_ends(file.name)
    ]
    stems = {Path(file).with_suffix("").as_posix(): file for file in files}
    commands = [" ".join(entry.words) for entry in COMMANDS if not entry.hidden]
    near = [stems.get(name, name) for name in near_names(path, [*stems, *files, *commands])]
    return f" Did you mean {' or '.join(dict.fromkeys(near))}?" if near else ""


def kind_ends(name: str) -> bool:
    """Whether a file's name ends as those of jobs and workflows do."""
    return name.endswith((".js", ".json", ".yaml", ".yml"))
