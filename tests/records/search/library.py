"""What tests of search put into the records, and how they look for it."""

from __future__ import annotations

from collections.abc import Iterable

from kivuko.records.database import Database
from kivuko.records.editing import Edit
from kivuko.records.ids import Id, IdSource
from kivuko.records.logs import Line, WriteLogs
from kivuko.records.opening import Records
from kivuko.records.payloads import Payloads
from kivuko.records.rows import Message, MessageVersion
from kivuko.records.search import Finder, Indexer, SearchIndex
from records.scenes import SECOND, Scene
from records.workers import Hand, claim


class Library:
    """``now_us`` is the indexer's clock."""

    def __init__(self, database: Database, index: SearchIndex) -> None:
        self.scene, self.records, self.index = Scene(database), Records(database), index
        self.erased: set[Id] = set()
        self.now_us = 0
        self.indexer = self.new_indexer()
        self.finder = Finder(self.records, index)

    @property
    def project_id(self) -> Id:
        """The only project."""
        return self.scene.project_id

    def new_indexer(self) -> Indexer:
        """As after a restart."""
        return Indexer(self.records, self.index, erases=self.erased.__contains__, now_us=lambda connection: self.now_us)

    def message(self, body: str, request: bytes | None = None, *, at_us: int | None = None) -> Id:
        """A message with this body, received at this time (now)."""
        intent = self.scene.message(body=body.encode())
        if at_us is not None:
            intent.message.id = intent.version.message_id = IdSource(lambda: at_us * 1000).new()
        intent.message.request = request
        return self.scene.do(intent).message_id

    def edited(self, message_id: Id, version: int, body: str) -> None:
        """Another version of it."""
        stored = Payloads().store(message_id, body.encode())
        self.scene.do(
            Edit(MessageVersion(message_id, version, self.project_id, stored.encoding, stored.body, None, len(body), self.scene.now_us))
        )

    def attempt(self, lines: Iterable[str], *, end: bool = True) -> Hand:
        """An Attempt of one Run that logged this, and ended."""
        self.scene.accept(self.scene.start())
        hand = claim(self.scene)
        hand.start()
        run = hand.runs()[0].id
        hand.begin(run)
        logged = tuple(Line(line, self.scene.now_us, run_id=run) for line in lines)
        for at in range(0, len(logged), 500):
            self.scene.do(WriteLogs(hand.id, hand.number, logged[at : at + 500], first_seq=at + 1))
        hand.end(run)
        if end:
            hand.finish()
        return hand

    def catch_up(self, *, after_s: float = 2) -> None:
        """Time passes; the indexer does all there is to do."""
        self.now_us += int(after_s * SECOND)
        while self.indexer.step():
            pass

    def messages(self, text: str, *, headers: bool = False) -> list[Id]:
        """Messages that hold the text."""
        return list(self.finder.messages(self.project_id, text, headers=headers))

    def runs(self, text: str) -> list[Id]:
        """Runs whose log holds the text."""
        return list(self.finder.runs(self.project_id, text))

    def stored(self, message_id: Id) -> Message:
        """The message's row."""
        return self.scene.get(Message, message_id)

    def close(self) -> None:
        """Ends the writers."""
        self.records.close()
        self.scene.close()
