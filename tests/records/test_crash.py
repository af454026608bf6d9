"""What was acknowledged survives: kill -9 of the process on SQLite, a crash of the server on PostgreSQL."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from kivuko.records.checking import check_records
from kivuko.records.handlers import handlers
from kivuko.records.ids import Id
from kivuko.records.opening import Records
from kivuko.records.payloads import ObjectFolder
from kivuko.records.postgresql import PostgresqlDatabase
from kivuko.records.reading import read_message_body
from kivuko.records.retention import Part, WipeBodies
from kivuko.records.rows import Attempt, LiveAttempt, Message, MessageVersion, Run, WorkOrder
from kivuko.records.schema import apply_schema
from kivuko.records.sqlite import SqliteDatabase
from kivuko.records.writer import Writer
from records.own_postgresql import MISSING, is_installed, own_postgresql
from records.scenes import Scene

SENDER = """
import sys
sys.path[:0] = sys.argv[2:]
from pathlib import Path
from kivuko.records.sqlite import SqliteDatabase
from records.scenes import Scene
scene = Scene(SqliteDatabase(Path(sys.argv[1])))
while True:
    intents = [scene.message([scene.start()]) for _ in range(20)]
    for intent, future in [(intent, scene.writer.submit(intent)) for intent in intents]:
        future.result(30)
        print(intent.message.id, flush=True)
"""


@pytest.mark.parametrize("acknowledged", [1, 57, 203])
def test_what_was_acknowledged_is_there_after_kill_9(tmp_path: Path, acknowledged: int) -> None:
    path = tmp_path / "kivuko.db"
    connection = SqliteDatabase(path).connect()
    apply_schema(connection)
    connection.close()
    with subprocess.Popen(
        [sys.executable, "-c", SENDER, str(path), str(Path(__file__).parents[1])], stdout=subprocess.PIPE, text=True
    ) as sender:
        assert sender.stdout
        heard = [sender.stdout.readline().strip() for _ in range(acknowledged)]
        sender.kill()
        heard += [line.strip() for line in sender.stdout if line.endswith("\n")]
    scene = Scene(SqliteDatabase(path))
    assert scene.reader.query("PRAGMA integrity_check") == [("ok",)]
    stored = {message.id for message in scene.rows(Message)}
    assert {Id.parse(line) for line in heard} <= stored
    # Nothing is half there.
    assert check_records(scene.reader) == []
    assert [len(scene.rows(row)) for row in (MessageVersion, WorkOrder, Attempt, LiveAttempt, Run)] == [len(stored)] * 5  # type: ignore[arg-type]
    scene.close()


@pytest.mark.postgres
def test_what_was_acknowledged_survives_crashes_of_postgresql_and_senders_hardly_notice() -> None:
    if not is_installed():
        if os.environ.get("CI"):
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    with own_postgresql("-c shared_buffers=32MB") as server:
        database = PostgresqlDatabase(server.address)
        connection = database.connect()
        apply_schema(connection)
        connection.close()
        scene = Scene(database)
        scene.writer.close()
        scene.writer = Writer(database, handlers(), patience_s=30)
        heard: list[Id] = []
        enough = threading.Event()

        def send() -> None:
            while not enough.is_set():
                intents = [scene.message([scene.start()], key=os.urandom(8)) for _ in range(10)]
                for intent, future in [(intent, scene.writer.submit(intent)) for intent in intents]:
                    heard.append(future.result(60).message_id)
                    assert future.result().duplicate_of is None
                    assert intent.message.id == heard[-1]

        sender = threading.Thread(target=send)
        sender.start()
        for _ in range(2):
            _wait_for(heard, len(heard) + 30)
            server.stop("immediate")
            server.start()
        _wait_for(heard, len(heard) + 30)
        enough.set()
        sender.join(60)
        scene.reader.close()
        scene.reader = database.connect()
        stored = [message.id for message in scene.rows(Message)]
        assert sorted(heard) == stored
        assert check_records(scene.reader) == []
        assert len(scene.rows(LiveAttempt)) == len(stored)
        scene.close()


def _wait_for(heard: list[Id], count: int) -> None:
    for _ in range(6000):
        if len(heard) >= count:
            return
        threading.Event().wait(0.01)
    raise AssertionError(f"only {len(heard)} acknowledged")


def test_records_of_a_folder_keep_large_bodies_in_files_and_delete_them(tmp_path: Path) -> None:
    folder = ObjectFolder(tmp_path / "objects")
    records = Records(SqliteDatabase(tmp_path / "kivuko.db"), folder)
    scene = Scene(records.database)
    intent = scene.message()
    body = os.urandom(2_000_000)
    stored = records.payloads.store(intent.message.id, body)
    intent.version.body, intent.version.object_key, intent.version.encoding = stored.body, stored.object_key, stored.encoding
    records.submit(intent).result(10)
    with records.reading() as connection:
        assert read_message_body(connection, records.payloads, intent.message.id, 1)[1] == body
    records.submit(WipeBodies(scene.project_id, Part.MESSAGES, Id(b"\xff" * 16)), bulk=True).result(10)
    records.close()
    assert list(folder.keys()) == []
    scene.close()
