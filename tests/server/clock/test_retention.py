"""What is older than its project keeps it goes, with its words; what is needed stays."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from kivuko.records import Id, IdempotencyKey, Needs, Records, Register, Worker, new_id
from kivuko.records.database import Database
from kivuko.records.ids import IdSource
from kivuko.records.rows import Dataclip, MessageVersion, OnceOnly, Run, WorkOrder
from kivuko.records.search import EntryKind, Finder, Indexer, SearchIndex, open_index
from kivuko.server.clock import Keeping, RetentionChore
from records.scenes import SECOND, Scene
from records.workers import claim, clip

DAY = 86_400 * SECOND


class Cellar:
    """Old and young things in one project. ``now_us`` is the clock of retention."""

    def __init__(self, scene: Scene, records: Records, index: SearchIndex) -> None:
        self.scene, self.index = scene, index
        self.now_us = scene.now_us = time.time_ns() // 1000
        self.keeping = Keeping(scene.project_id)
        self.prepared = 0
        self.retention = RetentionChore(records, lambda: [self.keeping], index, prepare=self._prepare, now_us=lambda: self.now_us)
        self.indexer = Indexer(records, index, now_us=lambda connection: self.now_us + 2 * SECOND)
        self.finder = Finder(records, index)

    def _prepare(self) -> None:
        self.prepared += 1

    def worked(self, *, days_ago: int = 0, end: bool = True) -> Id:
        """A message of so long ago that was worked on; its id."""
        intent = self.scene.message([self.scene.start()], body=b'{"village": "Kenema"}')
        made = IdSource(lambda: (self.now_us - days_ago * DAY) * 1000)
        intent.message.id = intent.version.message_id = made.new()
        self.scene.do(intent)
        hand = claim(self.scene)
        hand.start()
        hand.end(hand.runs()[0].id, output=clip(self.scene, hand))
        if end:
            hand.finish()
        return intent.message.id

    def keep_house(self) -> None:
        """The index catches up, then retention works."""
        while self.indexer.step():
            pass
        self.retention.work()

    def bodies(self) -> dict[Id, bool]:
        """Which messages still have one."""
        return {version.message_id: version.body is not None for version in self.scene.rows(MessageVersion)}

    def found(self) -> list[Id]:
        """Messages that search finds."""
        return list(self.finder.messages(self.scene.project_id, "Kenema"))


@pytest.fixture
def cellar(scene: Scene, records: Records, database: Database) -> Iterator[Cellar]:
    index = open_index(database)
    index.clear()
    yield Cellar(scene, records, index)
    index.close()


def test_without_a_limit_everything_stays(cellar: Cellar) -> None:
    message = cellar.worked(days_ago=4000)
    cellar.keep_house()
    assert cellar.bodies() == {message: True}
    assert cellar.found() == [message]
    assert cellar.prepared == 1


def test_messages_lose_their_bodies_and_their_words_and_the_runs_stay(cellar: Cellar) -> None:
    old, young = cellar.worked(days_ago=31), cellar.worked(days_ago=29)
    cellar.keeping = Keeping(cellar.scene.project_id, messages_days=30)
    cellar.keep_house()
    assert cellar.bodies() == {old: False, young: True}
    assert cellar.found() == [young]
    assert not cellar.index.places(EntryKind.BODY, cellar.scene.project_id, [old])
    assert len(cellar.scene.rows(Run)) == 2


def test_unfinished_work_keeps_its_message_and_loses_it_a_day_after_its_end(cellar: Cellar) -> None:
    old = cellar.worked(days_ago=31, end=False)
    cellar.keeping = Keeping(cellar.scene.project_id, messages_days=30)
    cellar.keep_house()
    assert cellar.bodies() == {old: True}
    cellar.scene.reader.query("UPDATE attempt SET state = 10")
    cellar.now_us += 2 * DAY
    cellar.keep_house()
    assert cellar.bodies() == {old: False}


def test_outputs_are_wiped_but_what_is_pinned_stays(cellar: Cellar) -> None:
    cellar.worked()
    cellar.worked()
    first, second = (row.id for row in cellar.scene.rows(Dataclip))
    cellar.scene.reader.query("UPDATE dataclip SET pinned_by = ? WHERE id = ?", cellar.scene.project_id, second)
    cellar.keeping = Keeping(cellar.scene.project_id, dataclips_days=30)
    cellar.now_us += 31 * DAY
    cellar.keep_house()
    assert {row.id: row.body is None for row in cellar.scene.rows(Dataclip)} == {first: True, second: False}


def test_history_goes_with_everything(cellar: Cellar) -> None:
    cellar.worked()
    cellar.keeping = Keeping(cellar.scene.project_id, history_days=90)
    cellar.keep_house()
    assert len(cellar.scene.rows(WorkOrder)) == 1
    cellar.now_us += 91 * DAY
    cellar.keep_house()
    for row in (WorkOrder, Run, MessageVersion, Dataclip):
        assert cellar.scene.rows(row) == []
    assert cellar.found() == []


def test_a_project_that_is_gone_keeps_nothing(cellar: Cellar) -> None:
    cellar.worked()
    cellar.keeping = Keeping(cellar.scene.project_id, gone=True)
    cellar.keep_house()
    assert cellar.scene.rows(WorkOrder) == cellar.scene.rows(MessageVersion) == []


def test_a_project_that_erases_has_no_words(cellar: Cellar) -> None:
    message = cellar.worked()
    cellar.keeping = Keeping(cellar.scene.project_id, erases=True)
    cellar.keep_house()
    assert not cellar.index.places(EntryKind.BODY, cellar.scene.project_id, [message])


def test_idempotency_keys_are_forgotten_after_their_window(cellar: Cellar) -> None:
    scene = cellar.scene
    intent = scene.message(key=b"k1")
    assert isinstance(intent.idempotency, IdempotencyKey)
    scene.now_us -= 3600 * SECOND
    scene.do(intent)
    assert len(scene.rows(OnceOnly)) == 1
    cellar.keep_house()
    assert scene.rows(OnceOnly) == []


def test_workers_that_were_not_seen_for_thirty_days_are_forgotten_unless_they_hold_something(cellar: Cellar) -> None:
    scene = cellar.scene
    gone, here = (
        Worker(new_id(), name, "1", Needs.JAVASCRIPT, 0, 1, 1, cellar.now_us - days * DAY) for name, days in (("gone", 31), ("here", 29))
    )
    scene.do(Register(gone))
    scene.do(Register(here))
    scene.do(scene.message([scene.start()]))
    holder = claim(scene)
    held = holder.attempt.worker_id
    cellar.keep_house()
    assert {worker.id for worker in scene.rows(Worker)} == {here.id, held}
    cellar.now_us += 40 * DAY
    cellar.keep_house()
    assert {worker.id for worker in scene.rows(Worker)} == {held}
