"""Whatever is reported, in whatever order, by several writers at once: what is stored stays equal to what can be calculated."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

import pytest

from kivuko.errors import MoveRefused, StaleClaim, TooSoon
from kivuko.records.checking import check_records
from kivuko.records.claims import Claim
from kivuko.records.database import Database
from kivuko.records.ids import Id, new_id
from kivuko.records.reports import Abandon, Cancel, EndAttempt, EndRun, Follow, HandBack, Park, StartAttempt, StartRun
from kivuko.records.rows import Attempt, DailyStat, LiveAttempt, Message, Run, WorkOrder
from kivuko.records.starting import Input, Origin
from kivuko.records.states import AttemptState, ExitReason, LiveState
from kivuko.records.work import StartWork
from records.scenes import SECOND, Scene

JOBS = [new_id() for _ in range(4)]
REASONS = [ExitReason.SUCCESS, ExitReason.FAIL, ExitReason.KILL, ExitReason.CRASH]


class Player:
    """One thread that does anything a server and its workers may do."""

    def __init__(self, scene: Scene, messages: list[Id], seed: int) -> None:
        self.scene, self.messages, self.random = scene, messages, random.Random(seed)
        self.held: list[tuple[Id, int]] = []
        self.known: list[Id] = []

    def play(self, steps: int) -> None:
        actions: list[Callable[[], None]] = [
            self.start_again,
            self.start_again,
            self.claim,
            self.claim,
            self.report,
            self.report,
            self.report,
        ]
        for _ in range(steps):
            try:
                self.random.choice([*actions, self.cancel])()
            except (StaleClaim, MoveRefused, TooSoon):
                continue

    def start_again(self) -> None:
        jobs = self.random.sample(JOBS, self.random.randint(1, 2))
        start = self.scene.start(*jobs)
        self.scene.do(StartWork(start, Origin(self.scene.project_id), Input(self.random.choice(self.messages)), guard_us=0))
        self.known.append(start.attempt_id)

    def claim(self) -> None:
        self.held.extend((each.attempt_id, each.claim_number) for each in self.scene.do(Claim(new_id(), 3)))

    def cancel(self) -> None:
        if self.known:
            self.scene.do(Cancel(self.random.choice(self.known)))

    def report(self) -> None:
        """A few reports at once, on several Attempts, so that they meet in one batch."""
        futures = [self.scene.writer.submit(self.draw(*self.random.choice(self.held))) for _ in range(4) if self.held]
        for future in futures:
            error = future.exception(30)
            if error is not None and not isinstance(error, StaleClaim | MoveRefused):
                raise error

    def draw(self, attempt: Id, number: int) -> object:
        runs = self.scene.rows(Run, "WHERE attempt_id = ?", attempt)
        run = self.random.choice(runs) if runs else None
        run_id, job = (run.id, run.job_id) if run else (new_id(), JOBS[0])
        reason = self.random.choice(REASONS)
        follows = tuple(Follow(new_id(), self.random.choice(JOBS)) for _ in range(self.random.randint(0, 2)))
        return self.random.choice(
            [
                StartAttempt(attempt, number, follows[:1]),
                StartRun(attempt, number, run_id, job),
                EndRun(attempt, number, run_id, job, reason, next=follows if len(runs) < 8 else ()),
                EndRun(attempt, number, new_id(), job, reason, wire_id=self.random.choice("abc")),
                EndAttempt(attempt, number, reason),
                Abandon(attempt, number),
                HandBack(attempt, number),
                Park(attempt, number, self.scene.now_us + SECOND),
            ]
        )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_is_stored_equals_what_can_be_calculated(database: Database, seed: int) -> None:
    writers = 4 if database.dialect == "postgresql" else 1
    scenes = [Scene(database) for _ in range(writers)]
    messages = [scenes[0].accept(scenes[0].start(JOBS[0])).message_id for _ in range(3)]
    players = [Player(scenes[at % writers], messages, seed * 10 + at) for at in range(4)]
    if writers == 1:
        for player in players:
            player.scene = Scene(database) if player is not players[0] else scenes[0]
            player.scene.writer, player.scene.project_id = scenes[0].writer, scenes[0].project_id
    _all_at_once([lambda player=player: player.play(40) for player in players])  # type: ignore[misc]
    check(scenes[0])
    for player in players:
        player.scene.close()


def _all_at_once(plays: list[Callable[[], None]]) -> None:
    problems: list[BaseException] = []

    def guarded(play: Callable[[], None]) -> None:
        try:
            play()
        except BaseException as error:
            problems.append(error)
            raise

    threads = [threading.Thread(target=guarded, args=(play,)) for play in plays]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert problems == []


def check(scene: Scene) -> None:
    """Everything that the records promise at any moment."""
    assert check_records(scene.reader) == []
    attempts = {attempt.id: attempt for attempt in scene.rows(Attempt)}
    runs = scene.rows(Run)
    assert scene.job_states() == scene.calculated()
    live = {row.attempt_id: row for row in scene.rows(LiveAttempt)}
    assert {key for key, attempt in attempts.items() if not attempt.state.finished} == {
        key for key, row in live.items() if row.state is not LiveState.LEAVING
    }
    assert all(int(attempts[key].state) == int(row.state) for key, row in live.items() if row.state is not LiveState.LEAVING)
    assert all(attempts[key].claim_number == row.claim_number for key, row in live.items())
    assert [run for run in runs if run.finished_at is None and attempts[run.attempt_id].state.finished] == []
    assert all((run.exit_code is None) == (run.finished_at is None) for run in runs)
    _check_orders(scene, list(attempts.values()))
    _check_numbers(scene, runs)
    counted = dict.fromkeys(AttemptState, 0)
    for stat in scene.rows(DailyStat):
        counted[stat.state] += stat.finished
    ended = [attempt.state for attempt in attempts.values() if attempt.state.finished and attempt.error_type != "Overtaken"]
    assert {state: ended.count(state) for state in AttemptState} == counted


def _check_orders(scene: Scene, attempts: list[Attempt]) -> None:
    for order in scene.rows(WorkOrder):
        states = {attempt.state for attempt in attempts if attempt.work_order_id == order.id}
        if AttemptState.STARTED in states:
            assert order.state.name == "RUNNING"
        elif any(not state.finished for state in states):
            assert order.state.name == "PENDING"
        else:
            assert order.state.name in {state.name for state in states}


def _check_numbers(scene: Scene, runs: list[Run]) -> None:
    for message in scene.rows(Message):
        numbers = [run.run_number for run in runs if run.message_id == message.id]
        assert len(set(numbers)) == len(numbers)
        assert max((number or 0 for number in numbers), default=0) <= message.run_count
