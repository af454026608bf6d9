"""A SQLite file moves over to PostgreSQL whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from kivuko.errors import InputError
from kivuko.records.database import Connection, Database
from kivuko.records.ids import new_id
from kivuko.records.logs import Line, WriteLogs
from kivuko.records.moving import move_records
from kivuko.records.tables import TABLES
from records.own_sqlite import empty_sqlite
from records.scenes import Scene
from records.workers import begun, claim, clip


def _all(connection: Connection) -> dict[str, list[object]]:
    found = {}
    for table in TABLES.values():
        rows = connection.query(
            f"SELECT {', '.join(column.name for column in table.columns)} FROM {table.name} ORDER BY {', '.join(table.key)}"
        )
        found[table.name] = [table.load(row) for row in rows]
    return found


@pytest.fixture
def source(tmp_path: Path) -> Scene:
    scene = Scene(empty_sqlite(tmp_path, "source.db"))
    hand = begun(scene, new_id(), new_id())
    hand.end(hand.runs()[0].id, new_id(), output=clip(scene, hand, b"x" * 5000))
    scene.do(WriteLogs(hand.id, hand.number, tuple(Line(f"line {at}", at) for at in range(2500)), first_seq=1))
    hand.die()
    scene.do(scene.message([scene.start()], key=b"k"))
    claim(scene).finish()
    return scene


def test_every_row_arrives_as_it_was(database: Database, source: Scene) -> None:
    target = database.connect()
    told: dict[str, int] = {}
    count = move_records(source.reader, target, told=told.__setitem__)
    assert _all(target) == _all(source.reader)
    assert count == sum(told.values()) > 2500
    assert told["log_line"] == 2500
    with pytest.raises(InputError, match="already"):
        move_records(source.reader, target)
    target.close()
    arrived = Scene(database)
    assert arrived.job_states() == arrived.calculated()
    arrived.close()
    source.close()
