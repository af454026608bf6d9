"""The engine of one command, and the folder of adaptors that it works with."""

from __future__ import annotations

from pathlib import Path

from kivuko.adaptors import Layout, default_folder
from kivuko.cli.call import Call
from kivuko.engines import Engine, EngineSettings

__all__ = ["open_engine", "repo_folder"]


def open_engine(call: Call) -> Engine:
    """The engine of this command; a context manager. Raises NodeMissing.

    Everything that it runs belongs to one person and one Attempt, so nothing is compared between Runs (``guarded``).
    """
    layout = Layout(repo_folder(call).absolute())

    def warn(layers: tuple[str, ...]) -> None:
        call.log.warn(f"Jobs run with less protection: this machine lacks {', '.join(layers)} ({call.program} doctor tells more)")

    return Engine(EngineSettings(store=layout.bundles, acorn=layout.acorn, most_hosts=2, guarded=False, on_missing_layers=warn))


def repo_folder(call: Call) -> Path:
    """The folder of installed adaptors: ``--repo-dir``, else OPENFN_REPO_DIR, else ``~/openfn/repo/cli``."""
    named = call.arguments.text("repo-dir")
    return call.folder / (Path(named).expanduser() if named else default_folder(dict(call.environment)))
