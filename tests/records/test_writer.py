"""Group commit: order, refusals, bad neighbours, databases that go away."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.patience import wait_until
from kivuko.errors import RecordMissing, RecordsUnavailable
from kivuko.records import waiting as waiting_module
from kivuko.records.database import Connection, Database
from kivuko.records.ids import Id, new_id
from kivuko.records.intents import Change, Intent, Pending, Transaction, apart, grouped
from kivuko.records.rows import ClaimShare
from kivuko.records.sqlite import SqliteDatabase
from kivuko.records.waiting import BULK_INTENTS, URGENT_BYTES, URGENT_IN_A_ROW, URGENT_INTENTS, Waiting
from kivuko.records.writer import Writer
from records.flaky import Flaky
from records.own_sqlite import empty_sqlite


@dataclass(frozen=True)
class Note(Intent[int]):
    """Writes a row; gives how many intents were in its group."""

    family = "note"
    row: ClaimShare
    of: Id | None = None
    last: bool = False

    @property
    def key(self) -> Id | None:
        return self.of

    @property
    def ends_key(self) -> bool:
        return self.last


@dataclass(frozen=True)
class First(Note):
    family = "first"
    rank = 0
    alone = True


class Heavy(Note):
    @property
    def size_bytes(self) -> int:
        return URGENT_BYTES


def _note(max_live: int = 1, of: Id | None = None, last: bool = False) -> Note:
    return Note(ClaimShare(new_id(), max_live, 0), of, last)


def _write_notes(transaction: Transaction, notes: Sequence[Note]) -> list[int]:
    if any(note.row.max_live == 13 for note in notes):
        raise ArithmeticError("13 is no number")
    transaction.connection.write([note.row for note in notes])
    for note in notes:
        transaction.tell("note", None, note.row.scope_id)
    return [RecordMissing("refused") if note.row.max_live == 14 else len(notes) for note in notes]  # type: ignore[misc]


HANDLERS = {"note": _write_notes, "first": _write_notes}


@pytest.fixture
def started() -> Iterator[Callable[..., Writer]]:
    writers: list[Writer] = []

    def start(database: Database, **options: Any) -> Writer:
        writers.append(Writer(database, HANDLERS, **options))
        return writers[-1]

    yield start
    for writer in writers:
        writer.close()


def _stored(database: Database) -> set[Id]:
    connection = database.connect()
    found = {Id(bytes(row[0])) for row in connection.query("SELECT scope_id FROM claim_share")}
    connection.close()
    return found


def test_what_is_answered_is_stored(database: Database, started: Callable[..., Writer]) -> None:
    writer = started(database)
    notes = [_note() for _ in range(700)]
    futures = [writer.submit(note) for note in notes]
    assert all(future.result(10) >= 1 for future in futures)
    assert _stored(database) == {note.row.scope_id for note in notes}


def test_a_bad_intent_fails_alone(database: Database, started: Callable[..., Writer]) -> None:
    writer = started(database)
    notes = [_note(13 if at % 7 == 0 else 1) for at in range(30)]
    futures = [writer.submit(note) for note in notes]
    for note, future in zip(notes, futures, strict=True):
        if note.row.max_live == 13:
            with pytest.raises(ArithmeticError):
                future.result(10)
        else:
            assert future.result(10)
    assert _stored(database) == {note.row.scope_id for note in notes if note.row.max_live == 1}


def test_a_refusal_reaches_its_sender_only(database: Database, started: Callable[..., Writer]) -> None:
    writer = started(database)
    good, bad = writer.submit(_note()), writer.submit(_note(14))
    assert good.result(10)
    with pytest.raises(RecordMissing, match="refused"):
        bad.result(10)


def test_changes_are_told_after_the_commit(database: Database, started: Callable[..., Writer]) -> None:
    seen: list[tuple[Id, bool]] = []

    def look(changes: Sequence[Change]) -> None:
        seen.extend((change.id, change.id in _stored(database)) for change in changes)

    writer = started(database, on_commit=look)
    note = _note()
    writer.submit(note).result(10)
    writer.close()
    assert seen == [(note.row.scope_id, True)]


def test_a_withdrawn_intent_is_not_written(tmp_path: Path, started: Callable[..., Writer]) -> None:
    database = empty_sqlite(tmp_path)
    writer = started(database)
    with database.turns:
        other = writer_busy(writer, database)
        future = _submitted_elsewhere(writer, _note())
        assert future.cancel()
    other.result(10)
    assert len(_stored(database)) == 1


def writer_busy(writer: Writer, database: SqliteDatabase) -> Future[int]:
    """Gives the writer something it cannot finish while the caller has the turn."""
    future = _submitted_elsewhere(writer, _note())
    while writer.backlog:
        threading.Event().wait(0.001)
    return future


def _submitted_elsewhere(writer: Writer, note: Note) -> Future[int]:
    found: list[Future[int]] = []
    thread = threading.Thread(target=lambda: found.append(writer.submit(note)))
    thread.start()
    thread.join()
    return found[0]


def test_waiting_for_the_writer_inside_a_transaction_is_refused_at_once(tmp_path: Path, started: Callable[..., Writer]) -> None:
    database = empty_sqlite(tmp_path)
    writer = started(database)
    with database.turns, pytest.raises(RuntimeError, match="waits for that transaction"):
        writer.submit(_note())


def test_a_closed_writer_takes_nothing(database: Database, started: Callable[..., Writer]) -> None:
    writer = started(database)
    note = _note()
    future = writer.submit(note)
    writer.close()
    assert future.result(0) == 1
    with pytest.raises(RecordsUnavailable, match="being closed"):
        writer.submit(_note())


@pytest.mark.parametrize("breaks", [["after"], ["before"], ["after", "before", "after"]])
def test_a_commit_of_unknown_outcome_is_repeated_and_happens_once(
    database: Database, started: Callable[..., Writer], breaks: list[str]
) -> None:
    writer = started(Flaky(database, breaks))
    note = _note()
    assert writer.submit(note).result(10) == 1
    assert _stored(database) == {note.row.scope_id}
    assert writer.problem == ""


def test_senders_hear_of_a_database_that_stays_away(database: Database, started: Callable[..., Writer]) -> None:
    writer = started(Flaky(database, ["before"] * 3), patience_s=0)
    with pytest.raises(RecordsUnavailable, match="connection was lost"):
        writer.submit(_note()).result(10)
    assert writer.problem == "the connection was lost"


def test_a_writer_finds_out_by_itself_that_its_database_is_back(database: Database, started: Callable[..., Writer]) -> None:
    writer = started(Flaky(database, ["before"] * 2), patience_s=0)
    with pytest.raises(RecordsUnavailable):
        writer.submit(_note()).result(10)
    wait_until(lambda: writer.problem == "", "the writer has not looked again", 20)
    assert writer.submit(_note()).result(10) == 1


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3), st.booleans())))
def test_groups_keep_the_order_of_each_key(drawn: list[tuple[str, int, bool]]) -> None:
    keys = [new_id() for _ in range(4)]
    batch = []
    for family, key, first in drawn:
        intent = First(ClaimShare(new_id(), 1, 0)) if first else Note(ClaimShare(new_id(), 1, 0), keys[key])
        object.__setattr__(intent, "family", "first" if first else family)
        batch.append(Pending(intent, Future()))
    groups = grouped(batch)
    flat = [pending for group in groups for pending in group]
    assert {id(pending) for pending in flat} == {id(pending) for pending in batch}
    assert all(len({pending.intent.family for pending in group}) == 1 for group in groups)
    for key in keys:
        assert [pending for pending in flat if pending.intent.key == key] == [pending for pending in batch if pending.intent.key == key]
    ranks = [pending.intent.rank for pending in flat]
    assert ranks == sorted(ranks)
    parts = apart(batch)
    assert sorted(map(id, batch)) == sorted(id(pending) for part in parts for pending in part)
    assert all(len({pending.intent.family for pending in part}) == 1 for part in parts)


def _pending(note: Note) -> Pending[int]:
    return Pending(note, Future())


def test_urgent_goes_before_bulk_but_not_for_ever() -> None:
    waiting = Waiting()
    waiting.put(_pending(_note(2)), bulk=True)
    kinds = []
    for _ in range(URGENT_IN_A_ROW + 2):
        waiting.put(_pending(_note(1)))
        batch = waiting.take()
        kinds.append(batch[0].intent.row.max_live)
    assert kinds == [1] * URGENT_IN_A_ROW + [2, 1]


def test_what_waits_in_bulk_for_an_ending_key_goes_before_the_end() -> None:
    waiting, key = Waiting(), new_id()
    for max_live in (1, 2):
        waiting.put(_pending(_note(max_live, of=key)), bulk=True)
    waiting.put(_pending(_note(9, of=new_id())), bulk=True)
    waiting.put(_pending(_note(3, of=key, last=True)))
    assert [pending.intent.row.max_live for pending in waiting.take()] == [1, 2, 3]


def test_bulk_waits_for_company_until_it_is_enough_or_nothing_else_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting_module, "BULK_RESTS_S", 3600.0)
    waiting = Waiting()
    waiting.put(_pending(_note(1)), bulk=True)
    waiting.put(_pending(_note(2)))
    assert [pending.intent.row.max_live for pending in waiting.take()] == [2]
    for _ in range(BULK_INTENTS):
        waiting.put(_pending(_note(3)), bulk=True)
    assert [pending.intent.row.max_live for pending in waiting.take()] == [1, *[3] * (BULK_INTENTS - 1)]
    waiting.close()
    assert [pending.intent.row.max_live for pending in waiting.take()] == [3]
    assert waiting.take() == []


def test_what_was_withdrawn_does_not_stand_before_others() -> None:
    waiting = Waiting()
    withdrawn = [_pending(Heavy(ClaimShare(new_id(), 1, 0))) for _ in range(3)]
    for pending in withdrawn:
        waiting.put(pending)
        pending.future.cancel()
    waiting.put(_pending(_note(5)))
    assert [pending.intent.row.max_live for pending in waiting.take()] == [5]


def test_batches_are_bounded() -> None:
    waiting = Waiting()
    for _ in range(URGENT_INTENTS + 1):
        waiting.put(_pending(_note()))
        waiting.put(_pending(_note()), bulk=True)
    assert [len(waiting.take()) for _ in range(3)] == [URGENT_INTENTS, 1, BULK_INTENTS]


def test_a_full_disk_refuses_and_recovers(tmp_path: Path, started: Callable[..., Writer]) -> None:
    database = empty_sqlite(tmp_path)
    limits = {"max": True}
    connect = database.connect

    def limited() -> Connection:
        connection = connect()
        pages = connection.query("PRAGMA page_count")[0][0] if limits["max"] else 2**30
        connection.query(f"PRAGMA max_page_count = {pages}")
        return connection

    database.connect = limited  # type: ignore[method-assign]
    writer = started(database, patience_s=0)
    futures = [writer.submit(_note()) for _ in range(500)]
    with pytest.raises(RecordsUnavailable, match="full"):
        [future.result(10) for future in futures]
    assert "full" in writer.problem
    limits["max"] = False
    note = _note()
    writer.submit(note).result(10)
    assert writer.problem == ""
    assert note.row.scope_id in _stored(database)


def test_a_database_that_cannot_be_opened_for_whatever_reason_is_tried_again(tmp_path: Path) -> None:
    path = tmp_path / "kivuko.db"
    SqliteDatabase(path).connect().close()
    good = path.read_bytes()
    # As on a full disk the file is opened, and what is said to it then fails.
    path.write_bytes(b"no database at all. " * 500)
    with pytest.raises(RecordsUnavailable, match="cannot be opened"):
        SqliteDatabase(path).connect_to_read()
    writer = Writer(SqliteDatabase(path), {"note": lambda transaction, intents: [1] * len(intents)}, patience_s=0.2)
    with pytest.raises(RecordsUnavailable, match="cannot be opened"):
        writer.submit(_note()).result(20)
    assert "cannot be opened" in writer.problem
    path.write_bytes(good)
    assert writer.submit(_note()).result(20) == 1
    assert writer.problem == ""
    writer.close()
