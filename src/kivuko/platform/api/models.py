"""Answers that are kept for requests which may come twice."""

from __future__ import annotations

from django.db import models

from kivuko.platform.ids import IdField
from kivuko.platform.sealing import SealedField
from kivuko.records import new_id

__all__ = ["KeptAnswer"]


class KeptAnswer(models.Model):
    """What a request with an Idempotency-Key was answered; ``status`` 0 while it is under way.

    ``key`` is a digest of who asks and their key, ``request`` one of what was asked; ``asked_at`` is µs since 1970. The body is sealed: the
    answer to a new token shows the token.
    """

    id = IdField(primary_key=True, default=new_id, editable=False)
    key = models.BinaryField(max_length=32, unique=True)
    request = models.BinaryField(max_length=32)
    status = models.IntegerField(default=0)
    headers = models.JSONField(default=dict)
    sealed = SealedField(null=True)
    asked_at = models.BigIntegerField(db_index=True)

    class Meta:
        """The table's name."""

        db_table = "api_kept_answer"
