"""The six CLI challenges: their loopback API, their tasks and their grading (cli.md §7)."""

from __future__ import annotations

from kivuko.cli.challenges.api import DEFAULT_PORT, ChallengeApi, answers_at
from kivuko.cli.challenges.tasks import TASKS, Evidence, Task

__all__ = ["DEFAULT_PORT", "TASKS", "ChallengeApi", "Evidence", "Task", "answers_at"]
