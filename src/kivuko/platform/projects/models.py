"""Tables of projects, and of what everybody's caches follow."""

from __future__ import annotations

from django.db import models

from kivuko.platform.ids import IdField
from kivuko.records import new_id

__all__ = ["ConfigurationVersion", "Project", "SharedSecret"]


class Project(models.Model):
    """A workspace. ``concurrency``: how many Attempts may be under way at once, null for any number.

    ``retention_policy``: ``retain_all``, or ``erase_all`` (zero persistence: no payload is kept after its use). Days of retention are null
    for ever. ``deleted_at``: it is gone for everybody; its history is deleted in the background.
    """

    id = IdField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=100)
    description = models.CharField(max_length=240, default="", blank=True)
    timezone = models.CharField(max_length=64, default="UTC")
    concurrency = models.PositiveIntegerField(null=True)
    retention_policy = models.CharField(max_length=20, default="retain_all")
    history_retention_days = models.PositiveIntegerField(null=True)
    message_retention_days = models.PositiveIntegerField(null=True)
    dataclip_retention_days = models.PositiveIntegerField(null=True)
    keep_logs = models.BooleanField(default=True)
    lock_version = models.PositiveIntegerField(default=1)
    deleted_at = models.DateTimeField(null=True)
    inserted_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        """A name is free again when its project is deleted."""

        constraints = (models.UniqueConstraint(fields=("name",), condition=models.Q(deleted_at__isnull=True), name="project_name"),)


class ConfigurationVersion(models.Model):
    """One row: a number that every transaction raises which changes what the lanes, the rules or the clock keep in memory."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    number = models.BigIntegerField(default=0)


class SharedSecret(models.Model):
    """What a setting's secret looks like on all servers of this database, without the secret: ``platform.shared_secrets``."""

    name = models.CharField(max_length=40, primary_key=True)
    fingerprint = models.TextField()
