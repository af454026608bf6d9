"""The engine of one command."""

from __future__ import annotations

from kivuko.adaptors import Layout
from kivuko.cli.call import Call
from kivuko.cli.repo_folder import repo_folder
from kivuko.engines import Engine, EngineSettings

__all__ = ["open_engine"]


def open_engine(call: Call) -> Engine:
    """The engine of this command; a context manager. Raises NodeMissing.

    Everything that it runs belongs to one person and one Attempt, so nothing is compared between Runs (``guarded``).
    """
    layout = Layout(repo_folder(call).absolute())

    def warn(layers: tuple[str, ...]) -> None:
        call.log.warn(f"Jobs run with less protection: this machine lacks {', '.join(layers)} ({call.program} doctor tells more)")

    return Engine(EngineSettings(store=layout.bundles, acorn=layout.acorn, most_hosts=2, guarded=False, on_missing_layers=warn))
