"""What ``execute`` is about to run: a plan with everything in it, the state it starts with, and where the results go."""

from __future__ import annotations

from typing import NamedTuple

from kivuko.cli.output_file import OutputFile
from kivuko.cli.step_cache import StepCache
from kivuko.workflow import ExecutionPlan

__all__ = ["Task"]


class Task(NamedTuple):
    """``plan`` has sources, values of credentials and found adaptors in it; ``output`` None means standard output."""

    plan: ExecutionPlan
    state: bytes
    output: OutputFile | None
    cache: StepCache
