"""Tables of workflows. What a workflow is stands in its newest snapshot; jobs and triggers are an index of that."""

from __future__ import annotations

from django.db import models

from kivuko.platform.ids import IdField
from kivuko.platform.projects.models import Project
from kivuko.records import new_id

__all__ = ["JobRow", "Snapshot", "TriggerRow", "Workflow"]


class Workflow(models.Model):
    """A workflow. ``snapshot_id`` is its newest snapshot; ``lock_version`` counts them."""

    id = IdField(primary_key=True, default=new_id, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, related_name="workflows")
    name = models.CharField(max_length=255)
    enabled = models.BooleanField(default=False)
    concurrency = models.PositiveIntegerField(null=True)
    when_lost = models.CharField(max_length=10, default="retry")
    lock_version = models.PositiveIntegerField(default=0)
    snapshot_id = IdField(null=True)
    deleted_at = models.DateTimeField(null=True)
    inserted_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        """A name is free again when its workflow is deleted."""

        constraints = (
            models.UniqueConstraint(fields=("project", "name"), condition=models.Q(deleted_at__isnull=True), name="workflow_name"),
        )


class Snapshot(models.Model):
    """A workflow as it was saved once: ``document`` is the JSON of a WorkflowDocument. Never changes."""

    id = IdField(primary_key=True, default=new_id, editable=False)
    workflow = models.ForeignKey(Workflow, models.CASCADE, related_name="snapshots")
    lock_version = models.PositiveIntegerField()
    document = models.TextField()
    author_id = IdField(null=True)
    inserted_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """One snapshot a version."""

        constraints = (models.UniqueConstraint(fields=("workflow", "lock_version"), name="snapshot_version"),)


class JobRow(models.Model):
    """A job of a workflow's newest snapshot; one with history that was taken out is ``archived_at``."""

    id = IdField(primary_key=True, editable=False)
    workflow = models.ForeignKey(Workflow, models.CASCADE, related_name="jobs")
    project = models.ForeignKey(Project, models.CASCADE, related_name="jobs")
    name = models.CharField(max_length=100)
    language = models.CharField(max_length=20)
    adaptor = models.CharField(max_length=255, null=True)
    credential_id = IdField(null=True, db_index=True)
    enabled = models.BooleanField(default=True)
    place = models.PositiveIntegerField(default=0)
    archived_at = models.DateTimeField(null=True)

    class Meta:
        """The table is called after the noun."""

        db_table = "workflows_job"


class TriggerRow(models.Model):
    """A trigger of a workflow's newest snapshot."""

    id = IdField(primary_key=True, editable=False)
    workflow = models.ForeignKey(Workflow, models.CASCADE, related_name="triggers")
    project = models.ForeignKey(Project, models.CASCADE, related_name="triggers")
    kind = models.CharField(max_length=10)
    enabled = models.BooleanField(default=False)
    inbox_id = IdField(null=True, db_index=True)
    custom_path = models.CharField(max_length=255, null=True)
    source_job_id = IdField(null=True, db_index=True)
    source_workflow_id = IdField(null=True, db_index=True)
    place = models.PositiveIntegerField(default=0)
    archived_at = models.DateTimeField(null=True)

    class Meta:
        """The table is called after the noun; a custom path leads to one trigger."""

        db_table = "workflows_trigger"
        constraints = (
            models.UniqueConstraint(fields=("project", "custom_path"), condition=models.Q(archived_at__isnull=True), name="trigger_path"),
        )
