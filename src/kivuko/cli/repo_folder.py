"""The folder of installed adaptors that a command works with."""

from __future__ import annotations

from pathlib import Path

from kivuko.adaptors import default_folder
from kivuko.cli.call import Call

__all__ = ["repo_folder", "shown_folder"]


def repo_folder(call: Call) -> Path:
    """The folder of installed adaptors: ``--repo-dir``, else OPENFN_REPO_DIR, else ``~/openfn/repo/cli``."""
    named = call.arguments.text("repo-dir")
    return call.folder / (Path(named).expanduser() if named else default_folder(dict(call.environment)))


def shown_folder(call: Call) -> str:
    """That folder as it was named."""
    return call.arguments.text("repo-dir") or str(repo_folder(call))
