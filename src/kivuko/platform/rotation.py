"""Encrypting with the newest key what older ones have encrypted, one row at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.apps import apps
from django.db import models, transaction

from kivuko.errors import SecretUnreadable
from kivuko.platform.sealing import SealedField, keys, open_from, seal_for

__all__ = ["Resealed", "reseal", "sealed_columns", "stale_secrets", "stored_secrets"]

_TOLD_EVERY = 100


@dataclass(frozen=True)
class Resealed:
    """How many secrets were encrypted anew; ``unreadable`` says of each that was not why: its key is missing, or it is damaged."""

    done: int
    unreadable: tuple[str, ...] = ()


def sealed_columns() -> Iterator[tuple[type[models.Model], str]]:
    """Every column of secrets, of all apps."""
    for model in apps.get_models():
        for column in model._meta.concrete_fields:
            if isinstance(column, SealedField):
                yield model, column.name


def stored_secrets() -> int:
    """How many secrets the database holds."""
    return sum(model._default_manager.count() for model, _ in sealed_columns())


def stale_secrets() -> int:
    """How many secrets are not yet encrypted with the newest key."""
    return sum(len(_stale(model, name)) for model, name in sealed_columns())


def reseal(told: Callable[[int], None] = lambda done: None) -> Resealed:
    """Encrypts every secret with the newest key that is not yet; ``told`` hears of each hundred.

    Each row is a transaction: it may be broken off at any time, and goes on when it is called again. What cannot be opened stays as it is.
    """
    done, unreadable = 0, []
    for model, name in sealed_columns():
        for key in _stale(model, name):
            try:
                done += _reseal(model, name, key)
            except SecretUnreadable as problem:
                unreadable.append(problem.message)
            else:
                if done and done % _TOLD_EVERY == 0:
                    told(done)
    return Resealed(done, tuple(unreadable))


def _stale(model: type[models.Model], name: str) -> list[object]:
    ring = keys()
    found = model._default_manager.order_by("pk").values_list("pk", name).iterator()
    return [key for key, sealed in found if not ring.is_newest(bytes(sealed))]


def _reseal(model: type[models.Model], name: str, key: object) -> int:
    with transaction.atomic():
        found = model._default_manager.select_for_update().filter(pk=key).values_list(name, flat=True).first()
        if found is None:
            return 0
        row = model(pk=key)
        return model._default_manager.filter(pk=key).update(**{name: seal_for(row, open_from(row, found))})
