"""Claims Attempts over the worker protocol, executes them with ``kivuko.runtime`` and reports what happened. Knows no database."""

from __future__ import annotations

from kivuko.worker.settings import WorkerSettings
from kivuko.worker.worker import Worker
from kivuko.worker.workloops import Workloop, read_workloops

__all__ = ["Worker", "WorkerSettings", "Workloop", "read_workloops"]
