"""What a project's members decide about it, as a value for everybody who works on its behalf."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from kivuko.errors import ObjectMissing
from kivuko.platform.projects.models import Project
from kivuko.records import Id

__all__ = ["ProjectSettings", "all_projects", "deleted_projects", "project_settings", "settings_of"]


@dataclass(frozen=True)
class ProjectSettings:
    """A project. ``erases``: no payload is kept after its use. Days of retention are None for ever; ``concurrency`` None for any number."""

    id: Id
    name: str
    description: str
    timezone: str
    concurrency: int | None
    erases: bool
    history_retention_days: int | None
    message_retention_days: int | None
    dataclip_retention_days: int | None
    keep_logs: bool
    lock_version: int
    inserted_at: datetime
    updated_at: datetime

    @property
    def retention_policy(self) -> str:
        """``retain_all`` or ``erase_all``."""
        return "erase_all" if self.erases else "retain_all"

    def as_json(self) -> dict[str, object]:
        """What the API shows of it, but for the times."""
        names = ("name", "description", "timezone", "concurrency", "retention_policy", "history_retention_days", "message_retention_days")
        return {"id": str(self.id)} | {
            name: getattr(self, name) for name in (*names, "dataclip_retention_days", "keep_logs", "lock_version")
        }


def project_settings(project_id: Id) -> ProjectSettings:
    """One project. Raises ObjectMissing, also for a deleted one."""
    found = Project.objects.filter(id=project_id, deleted_at__isnull=True).first()
    if found is None:
        raise ObjectMissing()
    return settings_of(found)


def all_projects() -> Iterator[ProjectSettings]:
    """Every project that is not deleted, oldest first."""
    return (settings_of(row) for row in Project.objects.filter(deleted_at__isnull=True).order_by("inserted_at", "id"))


def deleted_projects() -> Iterator[Id]:
    """Projects that were deleted and whose history is still to be deleted."""
    return iter(Project.objects.filter(deleted_at__isnull=False).values_list("id", flat=True))


def settings_of(row: Project) -> ProjectSettings:
    """The value of a row."""
    return ProjectSettings(
        id=row.id,
        name=row.name,
        description=row.description,
        timezone=row.timezone,
        concurrency=row.concurrency,
        erases=row.retention_policy == "erase_all",
        history_retention_days=row.history_retention_days,
        message_retention_days=row.message_retention_days,
        dataclip_retention_days=row.dataclip_retention_days,
        keep_logs=row.keep_logs,
        lock_version=row.lock_version,
        inserted_at=row.inserted_at,
        updated_at=row.updated_at,
    )
