"""The conversation about one Attempt, over a link that a test plays."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, field

import pytest

from kivuko.errors import AttemptGone, LinkDown
from kivuko.worker.channel import Channel, refusal
from kivuko.worker.link import OnChange, OnPush, Payload, Reply


@dataclass
class Wire:
    """What was said, and the futures of its answers."""

    said: list[tuple[str, Future[Reply]]] = field(default_factory=list)
    down: bool = False

    def push(self, topic: str, event: str, payload: Payload) -> Future[Reply]:
        """Notes it."""
        assert topic == "run:a"
        answer: Future[Reply] = Future()
        if self.down:
            answer.set_exception(LinkDown())
        else:
            self.said.append((event, answer))
        return answer

    def listen(self, on_push: OnPush, on_change: OnChange) -> None:
        """Nobody calls it here."""

    def close(self) -> None:
        """Nobody calls it here."""

    @property
    def events(self) -> list[str]:
        """The events, in order."""
        return [event for event, _ in self.said]

    def answer(self, at: int, reply: Reply | None = None) -> None:
        """Answers one of them; None: the connection went."""
        future = self.said[at][1]
        if reply is None:
            future.set_exception(LinkDown())
        else:
            future.set_result(reply)


OK = Reply("ok", {"n": 1})
GONE: list[str] = []


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def gone() -> list[str]:
    return []


@pytest.fixture
def channel(wire: Wire, gone: list[str]) -> Channel:
    return Channel(wire, "a", "token", lambda: gone.append("gone"))


def test_answers_come_to_who_asked(wire: Wire, channel: Channel) -> None:
    first, second = channel.send("one", {}), channel.send("two", {})
    wire.answer(1, OK)
    assert (second.result(), first.done()) == (OK, False)
    wire.answer(0, Reply("error", {"reason": "something"}))
    assert first.result().reason == "something"


def test_what_was_not_answered_is_said_again_in_order_after_a_join(wire: Wire, channel: Channel) -> None:
    joined = channel.join()
    wire.answer(0, OK)
    answered, first, second = channel.send("zero", {}), channel.send("one", {}), channel.send("two", {})
    wire.answer(1, OK)
    channel.connected(False)
    wire.answer(2)
    wire.answer(3)
    later = channel.send("three", {})
    assert wire.events == ["phx_join", "zero", "one", "two"]
    channel.connected(True)
    assert wire.events[4:] == ["phx_join", "one", "two", "three"]
    for at in range(4, 8):
        wire.answer(at, OK)
    assert [future.result() for future in (joined, answered, first, second, later)] == [OK] * 5


def test_a_connection_that_goes_again_at_once_loses_nothing(wire: Wire, channel: Channel) -> None:
    answer = channel.send("one", {})
    channel.connected(False)
    wire.answer(0)
    channel.connected(True)
    assert wire.events == ["one", "phx_join", "one"]
    channel.connected(False)
    wire.answer(1)
    wire.answer(2)
    channel.connected(True)
    assert wire.events[3:] == ["phx_join", "one"]
    wire.answer(4, OK)
    assert answer.result() == OK


def test_an_answer_to_an_earlier_saying_counts_no_more(wire: Wire, channel: Channel) -> None:
    answer = channel.send("one", {})
    channel.connected(True)
    wire.answer(0)
    assert not answer.done()
    wire.answer(2, OK)
    assert answer.result() == OK


def test_what_the_database_could_not_take_is_said_again_in_a_moment(wire: Wire, channel: Channel) -> None:
    answer = channel.send("one", {})
    channel.repeat()
    assert wire.events == ["one"]
    wire.answer(0, Reply("error", {"reason": "unavailable"}))
    assert not answer.done()
    channel.repeat()
    assert wire.events == ["one", "one"]
    wire.answer(1, OK)
    assert answer.result() == OK


@pytest.mark.parametrize("reason", ["stale_claim", "unauthorized", "not_found", "finished"])
def test_an_attempt_that_is_not_ours_ends_every_conversation(wire: Wire, channel: Channel, gone: list[str], reason: str) -> None:
    first, second = channel.send("one", {}), channel.send("two", {})
    wire.answer(0, Reply("error", {"reason": reason}))
    assert gone == ["gone"]
    assert wire.events == ["one", "two", "phx_leave"]
    for answer in (first, second, channel.send("three", {})):
        with pytest.raises(AttemptGone):
            answer.result(5)


def test_a_credential_that_is_not_found_is_no_such_end(wire: Wire, channel: Channel, gone: list[str]) -> None:
    answer = channel.send("fetch:credential", {"id": "c"})
    wire.answer(0, Reply("error", {"reason": "not_found"}))
    assert (answer.result().reason, gone) == ("not_found", [])


def test_a_closed_conversation_says_nothing_more(wire: Wire, channel: Channel) -> None:
    answer = channel.send("one", {})
    channel.close(leave=False)
    channel.connected(True)
    channel.repeat()
    channel.close()
    assert wire.events == ["one"]
    with pytest.raises(AttemptGone):
        answer.result(5)


def test_a_silenced_conversation_takes_nothing_and_still_hears(wire: Wire, channel: Channel) -> None:
    answer = channel.send("one", {})
    channel.silence()
    with pytest.raises(AttemptGone):
        channel.send("two", {}).result(5)
    wire.answer(0, OK)
    assert (answer.result(), wire.events) == (OK, ["one"])


def test_without_a_connection_everything_waits(wire: Wire, channel: Channel) -> None:
    wire.down = True
    answer = channel.send("one", {})
    assert not answer.done()
    wire.down = False
    channel.connected(True)
    wire.answer(1, OK)
    assert answer.result() == OK


def test_what_the_link_cannot_send_at_all_comes_to_who_asked(wire: Wire, channel: Channel) -> None:
    answer = channel.send("one", {})
    wire.said[0][1].set_exception(ValueError("no JSON"))
    with pytest.raises(ValueError, match="no JSON"):
        answer.result(5)


@pytest.mark.parametrize(
    ("response", "text"),
    [
        ({"reason": "x", "message": "said so"}, "said so"),
        ({"reason": "x"}, "x"),
        ({"errors": {"id": ["Gone!"]}}, "{'errors': {'id': ['Gone!']}}"),
        ("no", "no"),
    ],
)
def test_refusals_as_text(response: object, text: str) -> None:
    assert refusal(response) == text
