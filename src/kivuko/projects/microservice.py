"""A project of generation v2, as values: each job with its one trigger and its credential."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from kivuko.value import value

__all__ = ["MicroserviceJob", "MicroserviceProject", "MicroserviceTrigger", "TriggerKind"]

TriggerKind = Literal["message", "cron", "interval", "success", "failure", "manual"]


@value
class MicroserviceTrigger:
    """What starts a job. ``manual`` stands for a trigger that the file does not have. Fields of other kinds are None."""

    name: str
    kind: TriggerKind
    inclusion: object = None
    exclusion: object = None
    cron: str | None = None
    every: str | None = None
    anchor: str | None = None
    timezone: str | None = None
    source: str | None = None
    enabled: bool = True


@value
class MicroserviceJob:
    """A job by name. ``expression`` is its source; ``adaptor`` a full specifier."""

    name: str
    expression: str
    adaptor: str
    trigger: MicroserviceTrigger
    credential: str | None = None
    enabled: bool = True


@value
class MicroserviceProject:
    """All jobs in the order of the file, the bodies of the credentials that they name, and what a person should know (``warnings``)."""

    jobs: tuple[MicroserviceJob, ...]
    credentials: Mapping[str, Mapping[str, object]]
    warnings: tuple[str, ...] = ()
