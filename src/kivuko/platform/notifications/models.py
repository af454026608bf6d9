"""What people were told, and the letters that are still to be sent."""

from __future__ import annotations

from django.db import models

from kivuko.platform.accounts.models import User
from kivuko.platform.ids import IdField
from kivuko.records import new_id

__all__ = ["Letter", "Notification"]


class Notification(models.Model):
    """One thing that one person was told.

    ``kind`` is ``run_failed``, ``attempt_lost`` or ``chain_too_deep``; ``subject_id`` is the Run or Attempt.
    """

    id = IdField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="notifications")
    project_id = IdField()
    notice_id = IdField()
    kind = models.CharField(max_length=30)
    subject_id = IdField()
    title = models.CharField(max_length=400)
    text = models.TextField()
    link = models.CharField(max_length=400)
    inserted_at = models.DateTimeField(auto_now_add=True)
    read_at = models.DateTimeField(null=True)

    class Meta:
        """A notice tells each person once."""

        db_table = "notifications_notification"
        constraints = (models.UniqueConstraint(fields=("notice_id", "user"), name="notification_once"),)
        indexes = (models.Index(fields=("user", "id"), name="notification_of_user"),)


class Letter(models.Model):
    """A mail on its way: the row goes when the mail server has it. ``given_up_at``: it never took it, and why is in ``last_error``."""

    id = IdField(primary_key=True, default=new_id, editable=False)
    recipient = models.CharField(max_length=160)
    subject = models.CharField(max_length=400)
    text = models.TextField()
    html = models.TextField()
    tries = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, db_index=True)
    last_error = models.CharField(max_length=500, default="", blank=True)
    inserted_at = models.DateTimeField(auto_now_add=True)
    given_up_at = models.DateTimeField(null=True)

    class Meta:
        """The table is called after the noun."""

        db_table = "notifications_letter"
