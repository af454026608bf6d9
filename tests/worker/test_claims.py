"""When a worker asks for work, for how much, and when it waits."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future

import pytest

from kivuko.errors import LinkDown
from kivuko.worker.claims import Claims
from kivuko.worker.execution import ClaimedAttempt
from kivuko.worker.link import QUEUE, OnChange, OnPush, Payload, Reply
from kivuko.worker.workloops import Workloop


class Queue:
    """A link whose claims a test answers."""

    def __init__(self) -> None:
        self.asked: list[Payload] = []
        self.answers: list[Future[Reply]] = []

    def push(self, topic: str, event: str, payload: Payload) -> Future[Reply]:
        """Notes a claim."""
        assert (topic, event) == (QUEUE, "claim")
        self.asked.append(payload)
        self.answers.append(Future())
        return self.answers[-1]

    def listen(self, on_push: OnPush, on_change: OnChange) -> None:
        """Nobody calls it here."""

    def close(self) -> None:
        """Nobody calls it here."""

    def give(self, *names: str) -> None:
        """Answers the last claim with Attempts."""
        runs = [{"id": name, "token": f"token {name}", "snapshot_id": "s", "claim_number": 3, "project_id": "p"} for name in names]
        self.answers[-1].set_result(Reply("ok", {"runs": runs}))

    @property
    def demands(self) -> list[object]:
        """For how much it was asked."""
        return [payload["demand"] for payload in self.asked]


@pytest.fixture
def queue() -> Queue:
    return Queue()


@pytest.fixture
def taken() -> list[ClaimedAttempt]:
    return []


def claims(queue: Queue, taken: list[ClaimedAttempt], *, slots: int = 3, poll_s: tuple[float, float] = (60, 60)) -> Claims:
    """Claims that are open."""
    take: Callable[[Claims, ClaimedAttempt, float], None] = lambda _, claimed, asked_at: taken.append(claimed)  # noqa: E731
    made = Claims(queue, Workloop(("manual", "*"), slots), "w", poll_s, take)
    made.open()
    return made


def test_it_asks_for_all_its_free_slots_at_once(queue: Queue, taken: list[ClaimedAttempt]) -> None:
    claims(queue, taken)
    assert queue.asked == [{"demand": 3, "queues": ["manual", "*"], "worker_name": "w"}]


def test_it_asks_one_question_at_a_time(queue: Queue, taken: list[ClaimedAttempt]) -> None:
    made = claims(queue, taken)
    made.hint()
    made.look()
    assert len(queue.asked) == 1


def test_what_comes_takes_slots_and_a_full_answer_means_more(queue: Queue, taken: list[ClaimedAttempt]) -> None:
    made = claims(queue, taken)
    queue.give("a", "b", "c")
    assert taken[0] == ClaimedAttempt("a", "token a", "s", 3)
    assert (made.free, queue.demands) == (0, [3])
    made.freed()
    assert queue.demands == [3, 1]


def test_after_less_than_it_asked_for_it_waits_until_it_is_told(queue: Queue, taken: list[ClaimedAttempt]) -> None:
    made = claims(queue, taken)
    queue.give("a")
    made.freed()
    made.look()
    assert queue.demands == [3]
    made.hint()
    assert queue.demands == [3, 3]


def test_a_hint_while_it_asks_is_not_forgotten(queue: Queue, taken: list[ClaimedAttempt]) -> None:
    made = claims(queue, taken)
    made.hint()
    queue.give()
    assert queue.demands == [3, 3]


def test_without_hints_it_asks_again_after_a_pause(queue: Queue, taken: list[ClaimedAttempt]) -> None:
    made = claims(queue, taken, poll_s=(0, 0))
    queue.answers[0].set_result(Reply("ok", {"runs": []}))
    made.look()
    assert len(queue.asked) >= 2


@pytest.mark.parametrize("answer", [Reply("error", {"reason": "unavailable"}), Reply("ok", {}), Reply("ok", "ok")])
def test_an_answer_without_work_is_no_work(queue: Queue, taken: list[ClaimedAttempt], answer: Reply) -> None:
    made = claims(queue, taken)
    queue.answers[0].set_result(answer)
    assert (taken, made.free) == ([], 3)


def test_after_the_connection_went_it_asks_when_the_queue_is_joined_again(queue: Queue, taken: list[ClaimedAttempt]) -> None:
    made = claims(queue, taken)
    made.close()
    queue.answers[0].set_exception(LinkDown())
    made.hint()
    assert len(queue.asked) == 1
    made.open()
    assert len(queue.asked) == 2


def test_closed_claims_still_take_what_was_under_way(queue: Queue, taken: list[ClaimedAttempt]) -> None:
    made = claims(queue, taken)
    made.close()
    queue.give("late")
    assert [each.id for each in taken] == ["late"]
    made.freed()
    assert len(queue.asked) == 1
