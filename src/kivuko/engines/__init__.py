"""Engines: execute one Run of a job in a warm, sandboxed process. They get files, keys and bytes, and know no adaptor, database or web.

``Engine`` and ``Cancel`` are imported when they are asked for: commands that run no job need the values alone.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from kivuko.engines.run import (
    EgressPolicy,
    HostKey,
    Isolation,
    Limits,
    LogLevel,
    LogLine,
    ModuleFiles,
    RunError,
    RunRequest,
    RunResult,
    Severity,
)
from kivuko.engines.settings import EngineSettings, find_node

if TYPE_CHECKING:
    from kivuko.engines.engine import Engine
    from kivuko.engines.errand import Cancel

__all__ = [
    "Cancel",
    "EgressPolicy",
    "Engine",
    "EngineSettings",
    "HostKey",
    "Isolation",
    "Limits",
    "LogLevel",
    "LogLine",
    "ModuleFiles",
    "RunError",
    "RunRequest",
    "RunResult",
    "Severity",
    "find_node",
]

_HOMES = {"Cancel": "kivuko.engines.errand", "Engine": "kivuko.engines.engine"}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(_HOMES[name]), name)
    globals()[name] = found
    return found
