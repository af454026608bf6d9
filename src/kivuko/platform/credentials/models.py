"""The table of credentials."""

from __future__ import annotations

from django.db import models

from kivuko.platform.ids import IdField
from kivuko.platform.projects.models import Project
from kivuko.platform.sealing import SealedField
from kivuko.records import new_id

__all__ = ["Credential"]


class Credential(models.Model):
    """A named secret object. ``schema`` is an adaptor's short name or ``raw``; ``keys`` are the names of its values, for people."""

    id = IdField(primary_key=True, default=new_id, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, related_name="credentials")
    name = models.CharField(max_length=255)
    schema = models.CharField(max_length=40, default="raw")
    external_id = models.CharField(max_length=255, null=True)
    keys = models.JSONField(default=list)
    sealed = SealedField()
    owner_id = IdField(null=True)
    lock_version = models.PositiveIntegerField(default=1)
    inserted_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        """Names and external ids tell the credentials of a project apart."""

        constraints = (
            models.UniqueConstraint(fields=("project", "name"), name="credential_name"),
            models.UniqueConstraint(fields=("project", "external_id"), name="credential_external_id"),
        )
