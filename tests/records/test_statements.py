"""Every statement has a name, is used, and both databases understand it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import kivuko.records
from kivuko.records.database import Connection
from kivuko.records.moving import TABLES
from kivuko.records.retention import Part
from kivuko.records.statements import columns_of, named, statements

SOURCES = "\n".join(path.read_text("utf-8") for path in Path(kivuko.records.__file__).parent.rglob("*.py"))
BY_PART = {f"{part.value}_{what}" for part in Part for what in ("before", "wipeable")}


def test_both_databases_have_the_same_statements() -> None:
    assert statements("sqlite").keys() == statements("postgresql").keys()


def test_every_statement_is_used() -> None:
    assert {name for name in statements("sqlite") if f'"{name}"' not in SOURCES} - BY_PART == set()


def test_every_statement_that_is_asked_for_exists() -> None:
    asked = set(re.findall(r'\.(?:fetch|change)\(\s*"(\w+)"', SOURCES)) | set(re.findall(r'\.load\(\w+, "(\w+)"', SOURCES))
    assert asked - statements("sqlite").keys() == set()


def test_sql_stands_nowhere_else() -> None:
    """But for what is made from the tables themselves or from the filters of a list, and housekeeping of a connection."""
    package = Path(kivuko.records.__file__).parent
    speaking = {path.name for path in package.glob("*.py") if re.search(r'"(SELECT|INSERT|UPDATE|DELETE|WITH) ', path.read_text("utf-8"))}
    assert speaking <= {"bulk.py", "election.py", "listing.py", "listing_messages.py", "postgresql_connection.py", "schema.py"}


@pytest.mark.parametrize("name", sorted(statements("sqlite")))
def test_the_database_understands_it(connection: Connection, name: str) -> None:
    text = named(name, connection.dialect)
    if connection.dialect == "sqlite":
        explained = re.sub(r"= ANY\(:(\w+)\)", r"IN (:\1)", text)
        positional = re.sub(r":[a-z_]+", "?", explained)
        connection.query(f"EXPLAIN {positional}", *[None] * positional.count("?"))
    else:
        given: dict[str, int] = {}
        prepared = re.sub(r"%\((\w+)\)s", lambda match: f"${given.setdefault(match[1], len(given) + 1)}", text).replace("%%", "%")
        connection.query(f"PREPARE understood AS {prepared}")
        connection.query("DEALLOCATE understood")


def test_columns_are_named_in_the_order_of_rows() -> None:
    assert columns_of("attempt_run") == "attempt_run.attempt_id, attempt_run.run_id"
    assert all(columns_of(table).startswith(f"{table}.") for table in TABLES)


def test_one_text_serves_both() -> None:
    assert named("parked_lock", "postgresql").endswith("WHERE attempt_id = ANY(%(ids)s) AND state = 1 ORDER BY attempt_id FOR UPDATE")
    assert named("parked_lock", "sqlite").endswith("WHERE attempt_id = ANY(:ids) AND state = 1 ORDER BY attempt_id")
