"""Encrypting with the newest key what older ones have encrypted, a few rows at a time."""

from __future__ import annotations

from collections.abc import Iterator

from django.apps import apps
from django.db import models, transaction

from kivuko.platform.sealing import SealedField, keys, open_from, seal_for

__all__ = ["reseal", "sealed_columns", "stale_secrets"]

BATCH = 100


def sealed_columns() -> Iterator[tuple[type[models.Model], str]]:
    """Every column of secrets, of all apps."""
    for model in apps.get_models():
        for column in model._meta.concrete_fields:
            if isinstance(column, SealedField):
                yield model, column.name


def stale_secrets() -> int:
    """How many secrets are not yet encrypted with the newest key."""
    ring = keys()
    return sum(
        not ring.is_newest(bytes(sealed))
        for model, name in sealed_columns()
        for sealed in model._default_manager.values_list(name, flat=True).iterator()
    )


def reseal(at_most: int = BATCH) -> int:
    """Encrypts up to so many secrets anew; how many there were. Call it until it gives 0, then the old keys can go.

    Raises SecretUnreadable for one whose key is not in the ring: nothing is lost by that, the key has to come back.
    """
    done = 0
    for model, name in sealed_columns():
        if done >= at_most:
            break
        stale = [row for row in model._default_manager.only("pk", name).iterator() if not keys().is_newest(bytes(getattr(row, name)))]
        for row in stale[: at_most - done]:
            _reseal(model, name, row)
            done += 1
    return done


def _reseal(model: type[models.Model], name: str, row: models.Model) -> None:
    with transaction.atomic():
        found = model._default_manager.select_for_update().filter(pk=row.pk).values_list(name, flat=True).first()
        if found is None:
            return
        row = model(pk=row.pk)
        model._default_manager.filter(pk=row.pk).update(**{name: seal_for(row, open_from(row, found))})
