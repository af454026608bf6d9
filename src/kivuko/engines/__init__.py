"""Engines: execute one Run of a job in a warm, sandboxed process. They get files, keys and bytes, and know no adaptor, database or web."""

from kivuko.engines.engine import Engine
from kivuko.engines.errand import Cancel
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
