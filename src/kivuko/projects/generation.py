"""Which of the four generations a project file is of: told by its shape, never by what it calls itself (requirements §3.3)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from kivuko.errors import InputError

__all__ = ["Generation", "generation_of"]


class Generation(Enum):
    """The generations, by the numbers of OpenFn's portability documents."""

    PROPOSAL = 1
    MICROSERVICE = 2
    """The first platform's, the microservice's and the engine's: maps of jobs, triggers and credentials."""
    LIGHTNING = 3
    KIT = 4


def generation_of(document: object, where: str) -> Generation:
    """The generation of a project file's values. Raises InputError, which names ``where``, for what is none."""
    if not isinstance(document, Mapping):
        raise InputError(f"{where} is no project: it holds no mapping", fix="Begin it with jobs:, triggers: and credentials:.")
    workflows, jobs = document.get("workflows"), document.get("jobs")
    if isinstance(workflows, list):
        return Generation.KIT
    if isinstance(workflows, Mapping):
        return Generation.LIGHTNING
    if isinstance(jobs, Mapping):
        return Generation.PROPOSAL if {"async", "staticData"} & set(document) else Generation.MICROSERVICE
    raise InputError(f"{where} is no project: it has neither jobs: nor workflows:", fix="Begin it with jobs:, triggers: and credentials:.")
