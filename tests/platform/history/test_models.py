"""The models over the hot tables have exactly the columns that the tables have, on both databases."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.db import connection, models

from kivuko.platform.history.migrations import __path__ as migrations_path
from kivuko.platform.history.models import LiveAttempt, Run
from kivuko.platform.ids import IdField
from kivuko.platform.settings import records_database
from kivuko.records import Cause, Input, Origin, Records, StartWork, new_id, new_start, schema_files
from kivuko.records.tables import TABLES
from own_platform import Place

MODELS = {model._meta.db_table: model for model in apps.get_app_config("history").get_models()}
KINDS: dict[str, dict[type[models.Field[Any, Any]], set[str]]] = {
    "sqlite": {
        IdField: {"BLOB"},
        models.SmallIntegerField: {"INTEGER"},
        models.BigIntegerField: {"INTEGER"},
        models.TextField: {"TEXT"},
        models.BinaryField: {"BLOB"},
    },
    "postgresql": {
        IdField: {"uuid"},
        models.SmallIntegerField: {"smallint"},
        models.BigIntegerField: {"bigint", "integer", "smallint"},
        models.TextField: {"text"},
        models.BinaryField: {"bytea"},
    },
}


def columns(table: str) -> dict[str, tuple[str, bool]]:
    """Type and whether it may be null, by name, as the database has it."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"PRAGMA table_info({table})")
            return {name: (kind, not required) for _, name, kind, required, *_ in cursor.fetchall()}
        cursor.execute("SELECT column_name, data_type, is_nullable FROM information_schema.columns WHERE table_name = %s", [table])
        return {name: (kind, nullable == "YES") for name, kind, nullable in cursor.fetchall()}


def test_every_hot_table_has_a_model() -> None:
    assert set(MODELS) == set(TABLES)


def test_models_and_tables_have_the_same_columns(platform: Place) -> None:
    for table, model in MODELS.items():
        found = columns(table)
        fields = {field.column: field for field in model._meta.concrete_fields if not isinstance(field, models.CompositePrimaryKey)}
        assert set(fields) == set(found), table
        for name, field in fields.items():
            kind, nullable = found[name]
            assert kind in KINDS[connection.vendor][type(field)], f"{table}.{name}"
            assert field.null == nullable, f"{table}.{name}"


def test_models_have_the_tables_keys() -> None:
    for table, model in MODELS.items():
        key = model._meta.pk
        names = key.field_names if isinstance(key, models.CompositePrimaryKey) else (key.name,)
        assert tuple(names) == TABLES[table].key


def test_what_the_records_wrote_can_be_read_and_filtered(platform: Place) -> None:
    records = Records(records_database())
    project_id, job_id = new_id(), new_id()
    start = new_start(new_id(), new_id(), job_id, Cause.MANUAL, (job_id,))
    records.submit(StartWork(start, Origin(project_id), Input())).result(10)
    records.close()
    run = Run.objects.get(project_id=project_id, job_id=job_id)
    assert (run.id, run.cause, run.finished_at) == (start.runs[0][0], Cause.MANUAL, None)
    assert LiveAttempt.objects.filter(project_id=project_id).count() == 1


@pytest.mark.parametrize("write", [lambda: Run.objects.create(), lambda: Run(id=new_id()).save(), lambda: Run(id=new_id()).delete()])
def test_writing_past_the_writer_is_refused(write: Any) -> None:
    with pytest.raises(TypeError, match=r"kivuko\.records only"):
        write()


def test_every_schema_file_of_the_records_is_a_step_of_the_history() -> None:
    from pathlib import Path

    steps = sorted(path.stem for path in Path(next(iter(migrations_path))).glob("0*.py"))
    for dialect in ("sqlite", "postgresql"):
        assert steps == [f"{file.number:04}_{file.name}" for file in schema_files(dialect)]  # type: ignore[arg-type]
