"""What is found, when, and what is found no more; on both databases."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kivuko.records.database import Database
from kivuko.records.ids import Id, new_id
from kivuko.records.retention import DeleteHistory, Part, WipeBodies, oldest_kept
from kivuko.records.search import EntryKind, SearchIndex, open_index
from kivuko.records.search.finder import LOOKED_AT
from kivuko.records.sqlite import SqliteDatabase
from records.scenes import SECOND
from records.search.library import Library

LATER = Id(b"\xff" * 16)


def test_a_text_is_found_in_messages_and_in_logs(library: Library) -> None:
    message = library.message('{"note": "Did patient 798123 get referred?"}')
    hand = library.attempt(["Looking", "Patient 798123 was referred"])
    library.message('{"note": "patient 12"}')
    library.catch_up()
    assert library.messages("patient 798123") == [message]
    assert library.runs("patient 798123") == [hand.runs()[0].id]
    assert list(library.finder.attempts(library.project_id, "was REFERRED")) == [hand.id]
    assert library.messages("Did patient 798123 get referred?") == [message]


def test_all_the_words_in_another_order_are_not_the_text(library: Library) -> None:
    library.message('{"a": "get patient referred"}')
    library.catch_up()
    assert library.messages("patient get referred") == []
    assert library.messages("get patient ref") != []


def test_the_newest_come_first_and_pages_go_on(library: Library) -> None:
    made = [library.message('{"village": "Kenema"}') for _ in range(5)]
    library.catch_up()
    found = library.messages("kenema")
    assert found == made[::-1]
    assert list(library.finder.messages(library.project_id, "Kenema", before=found[1])) == found[2:]


def test_other_projects_texts_are_not_found(library: Library) -> None:
    library.message('{"village": "Kenema"}')
    library.catch_up()
    assert list(library.finder.messages(new_id(), "Kenema")) == []


def test_headers_are_found_by_choice(library: Library) -> None:
    message = library.message("{}", request=json.dumps({"headers": {"x-form": "Referral-7"}}).encode())
    library.catch_up()
    assert library.messages("referral-7") == []
    assert library.messages("referral-7", headers=True) == [message]


def test_an_edit_is_found_by_its_own_words(library: Library) -> None:
    message = library.message('{"name": "Ahmad"}')
    library.catch_up()
    library.edited(message, 2, '{"name": "Ahmadou"}')
    library.catch_up()
    assert library.messages('"Ahmadou"') == [message]
    assert library.messages("Ahmad") == [message]


def test_what_is_very_young_waits_for_the_next_step_and_is_counted_as_behind(library: Library) -> None:
    library.message('{"village": "Kenema"}')
    library.now_us -= SECOND
    library.indexer.step()
    assert library.messages("Kenema") == []
    library.catch_up()
    assert library.messages("Kenema") != []
    assert library.indexer.behind_s == 0


def test_a_restart_goes_on_where_it_was(library: Library) -> None:
    first = library.message('{"village": "Kenema"}')
    library.catch_up(after_s=200)
    library.indexer = library.new_indexer()
    second = library.message('{"village": "Kenema"}', at_us=library.now_us)
    library.catch_up()
    assert library.messages("Kenema") == [second, first]


def test_what_was_committed_late_is_found_when_the_last_minute_is_read_again(library: Library) -> None:
    late = library.scene.message(body=b'{"village": "Late"}')
    library.message('{"village": "Kenema"}')
    library.catch_up()
    library.scene.do(late)
    library.catch_up()
    assert library.messages("Late") == []
    library.catch_up(after_s=130)
    assert library.messages("Late") == [late.message.id]


def test_a_log_is_found_when_its_attempt_has_ended(library: Library) -> None:
    hand = library.attempt(["Working on Kenema"], end=False)
    library.catch_up()
    assert library.runs("Kenema") == []
    library.scene.now_us = library.now_us
    hand.finish()
    library.catch_up()
    assert library.runs("Kenema") == [hand.runs()[0].id]


def test_a_long_log_is_found_to_its_last_line(library: Library) -> None:
    filler = "and so on " * 100
    hand = library.attempt([f"line {at} {filler}" for at in range(1200)] + ["the very end"])
    library.catch_up()
    for text in ("line 0 and", "line 600 and", "the very end"):
        assert library.runs(text) == [hand.runs()[0].id]


def test_a_project_that_keeps_nothing_is_not_indexed(library: Library, index: SearchIndex) -> None:
    library.erased.add(library.project_id)
    message = library.message('{"village": "Kenema"}')
    library.attempt(["Kenema"])
    library.catch_up()
    assert library.messages("Kenema") == library.runs("Kenema") == []
    assert not index.places(EntryKind.BODY, library.project_id, [message])


def test_a_wiped_body_is_not_found_even_before_the_index_is_purged(library: Library) -> None:
    library.message('{"village": "Kenema"}')
    library.catch_up()
    library.scene.do(WipeBodies(library.project_id, Part.MESSAGES, LATER))
    assert library.messages("Kenema") == []


def test_a_purge_takes_out_what_is_older(library: Library, index: SearchIndex) -> None:
    old = library.message('{"village": "Kenema"}')
    library.attempt(["Kenema"])
    young = library.message('{"village": "Kenema"}')
    library.catch_up()
    assert index.purge(library.project_id, EntryKind.BODY, young, at_most=1) == 1
    assert index.purge(library.project_id, EntryKind.BODY, young, at_most=500) == 1
    assert index.purge(library.project_id, EntryKind.BODY, young) == 0
    assert index.purge(library.project_id, EntryKind.LOG, LATER) == 1
    assert library.messages("Kenema") == [young]
    assert not index.places(EntryKind.BODY, library.project_id, [old])


def test_deleted_history_is_not_found(library: Library) -> None:
    library.attempt(["Kenema"])
    library.catch_up()
    while library.scene.do(DeleteHistory(library.project_id, LATER)):
        pass
    assert library.runs("Kenema") == []


def test_an_index_that_was_dropped_is_built_again(library: Library) -> None:
    message = library.message('{"village": "Kenema"}')
    library.catch_up(after_s=200)
    library.indexer.begin_anew()
    assert library.messages("Kenema") == []
    library.catch_up()
    assert library.messages("Kenema") == [message]


def test_more_than_a_batch_is_indexed_in_order(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kivuko.records.search.indexer._BATCH", 200)
    monkeypatch.setattr("kivuko.records.search.indexer._WORDS_AT_ONCE", 150)
    made = [library.message(f'{{"number": "n{at}"}}') for at in range(450)]
    library.catch_up(after_s=50)
    assert [library.messages(f'"n{at}"') for at in (0, 199, 200, 449)] == [[made[at]] for at in (0, 199, 200, 449)]


def test_a_question_reads_so_many_candidates_at_most(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    assert LOOKED_AT % 100 == 0
    monkeypatch.setattr("kivuko.records.search.finder.LOOKED_AT", 100)
    first = library.message('{"a": "one two"}')
    for _ in range(100):
        library.message('{"a": "two one"}')
    library.catch_up(after_s=50)
    assert library.messages("one two") == []
    assert library.messages("two one")[-1] != first


def test_words_that_were_taken_out_leave_the_file(tmp_path: Path) -> None:
    database: Database = SqliteDatabase(tmp_path / "kivuko.db")
    index = open_index(database)
    library = Library(database, index)
    library.now_us = library.scene.reader.now_us()
    for _ in range(3):
        library.message('{"name": "Quattlebaum"}')
        library.catch_up()
    assert b"quattlebaum" in _files(tmp_path)
    assert index.purge(library.project_id, EntryKind.BODY, LATER) == 3
    more = index.compact(begin=True)
    while more:
        more = index.compact(begin=False)
    library.close()
    index.close()
    assert b"quattlebaum" not in _files(tmp_path)


def test_a_file_that_cannot_be_read_is_begun_anew(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path / "kivuko.db")
    (tmp_path / "search.db").write_bytes(b"no database at all, and long enough for one page " * 200)
    index = open_index(database)
    assert index.mark("messages") == b""
    index.close()


def test_the_boundary_of_retention_is_an_id(library: Library, index: SearchIndex) -> None:
    message = library.message('{"village": "Kenema"}')
    library.catch_up()
    assert index.purge(library.project_id, EntryKind.BODY, oldest_kept(message.made_at_us - 2000)) == 0
    assert index.purge(library.project_id, EntryKind.BODY, oldest_kept(message.made_at_us + 2000)) == 1


def _files(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.glob("search.db*")))


def test_an_edit_that_is_committed_late_is_found(library: Library) -> None:
    message = library.message('{"name": "first"}')
    library.catch_up()
    others = [library.message(f'{{"other": {at}}}') for at in range(2)]
    # Stored with an older time than what the indexer has seen already: its transaction took that long.
    library.scene.now_us += 5 * SECOND
    library.edited(others[0], 2, '{"name": "in time"}')
    library.catch_up(after_s=10)
    library.scene.now_us -= 4 * SECOND
    library.edited(message, 2, '{"name": "late"}')
    library.catch_up(after_s=300)
    assert library.messages("in time") == [others[0]]
    assert library.messages("late") == [message]


def test_most_of_many_words_are_found_in_any_script(library: Library) -> None:
    words = ["".join(chr(0x1200 + (at // 64**place) % 64) for place in range(4)) for at in range(120_000)]
    message = library.message(json.dumps({"words": words}, ensure_ascii=False))
    library.catch_up(after_s=50)
    # PostgreSQL keeps a megabyte of words, which is two thirds of them, in no order.
    assert sum(library.messages(f'"{word}"') == [message] for word in words[::6_000]) >= 5
