"""Tables of inboxes."""

from __future__ import annotations

from django.db import models

from kivuko.platform.ids import IdField
from kivuko.platform.projects.models import Project
from kivuko.platform.sealing import SealedField
from kivuko.records import new_id

__all__ = ["AuthMethod", "Inbox", "InboxSecret"]


class Inbox(models.Model):
    """Where senders post to. ``auth_method_ids``: texts; any one of them suffices, none at all means that the address is the secret.

    ``idempotency``: ``{"header", "path", "window_s"}`` or null. ``reply``: ``before_start`` or ``after_completion``.
    """

    id = IdField(primary_key=True, default=new_id, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, related_name="inboxes")
    name = models.CharField(max_length=100)
    auth_method_ids = models.JSONField(default=list)
    idempotency = models.JSONField(null=True)
    body_limit_bytes = models.PositiveIntegerField(default=10 * 1024 * 1024)
    reply = models.CharField(max_length=20, default="before_start")
    lock_version = models.PositiveIntegerField(default=1)
    inserted_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        """Names tell the inboxes of a project apart."""

        constraints = (models.UniqueConstraint(fields=("project", "name"), name="inbox_name"),)


class InboxSecret(models.Model):
    """The uuid of an inbox's address: found by its SHA-256, shown to those who may see it. The one without an end is the current one."""

    id = IdField(primary_key=True, default=new_id, editable=False)
    inbox = models.ForeignKey(Inbox, models.CASCADE, related_name="secrets")
    digest = models.BinaryField(max_length=32, unique=True)
    sealed = SealedField()
    ends_at = models.DateTimeField(null=True)
    inserted_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """One current secret an inbox."""

        constraints = (models.UniqueConstraint(fields=("inbox",), condition=models.Q(ends_at__isnull=True), name="inbox_current_secret"),)


class AuthMethod(models.Model):
    """A secret that senders present. ``sealed`` is the encrypted SHA-256 of the key, or of ``username:password``."""

    id = IdField(primary_key=True, default=new_id, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, related_name="auth_methods")
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=10)
    username = models.CharField(max_length=255, null=True)
    sealed = SealedField()
    inserted_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """Names tell the methods of a project apart: they are kept with each message."""

        constraints = (models.UniqueConstraint(fields=("project", "name"), name="auth_method_name"),)
