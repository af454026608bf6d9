"""Moving an installation to another database: from SQLite to PostgreSQL when one machine is too small."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice

from django.apps import apps
from django.core.management.color import no_style
from django.db import connections, models, transaction

from kivuko.errors import InputError
from kivuko.platform.accounts.models import User
from kivuko.platform.migrating import migrate
from kivuko.platform.settings import PlatformSettings, django_database, records_database, setup
from kivuko.records import move_records

__all__ = ["move_platform"]

_PAGE = 500
_TARGET = "target"

Told = Callable[[str, int], None]


def move_platform(source: PlatformSettings, target: PlatformSettings, *, told: Told = lambda table, rows: None) -> int:
    """Copies every row of the platform and of the records; how many. ``told`` hears of each table's progress.

    Both are brought up to date first; afterwards ``target`` is what is set up. Nobody may use either meanwhile, and both must have the same
    encryption keys. Raises InputError when the target has been used, RecordsUnavailable; then the target is as empty as before.
    """
    setup(target)
    migrate()
    if User.objects.exists():
        raise InputError("the target database has users already", fix="Name an empty database.")
    into = records_database().connect()
    setup(source)
    migrate()
    out_of = records_database().connect_to_read()
    try:
        with _reachable(target), transaction.atomic(using=_TARGET):
            total = sum(_copy(model, told) for model in _models())
            _reset_sequences()
            # Its own transaction, and the last thing: when it fails, ours is undone.
            total += move_records(out_of, into, told=told)
    finally:
        into.close()
        out_of.close()
    setup(target)
    return total


def _models() -> list[type[models.Model]]:
    return [model for model in apps.get_models() if model._meta.managed and not model._meta.proxy]


@contextmanager
def _reachable(target: PlatformSettings) -> Iterator[None]:
    connections.settings[_TARGET] = connections.configure_settings({"default": django_database(target)})["default"]
    try:
        yield
    finally:
        connections[_TARGET].close()
        del connections.settings[_TARGET]


def _copy(model: type[models.Model], told: Told) -> int:
    copied = 0
    rows = model._base_manager.order_by("pk").iterator(_PAGE)
    while page := list(islice(rows, _PAGE)):
        _insert(model, page)
        copied += len(page)
        told(model._meta.db_table, copied)
    return copied


def _insert(model: type[models.Model], page: Sequence[models.Model]) -> None:
    # As they are: bulk_create would set the times of insertion and change to now.
    rows = model._base_manager.using(_TARGET)
    rows._insert(page, fields=model._meta.local_concrete_fields, raw=True, using=_TARGET)  # type: ignore[attr-defined]


def _reset_sequences() -> None:
    connection = connections[_TARGET]
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), _models()):
            cursor.execute(statement)
