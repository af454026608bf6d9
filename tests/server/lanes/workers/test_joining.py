"""Who may join the topic of an Attempt, and what may be asked there (worker-protocol R11, §7)."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from kivuko.platform.execution import RunTokens
from kivuko.records import Attempt, AttemptState, Cancel, Expire, HandBack, Id, new_id
from kivuko.records.rows import LiveAttempt
from server.lanes.workers.worlds import Speaker, World, chain, private_key


class Scene:
    """An Attempt that a worker has claimed but not joined."""

    def __init__(self, world: World, *, foreign: bool) -> None:
        self.world = world
        self.document = chain("One")
        self.started = world.send(self.document)
        self.worker = world.worker("w", foreign=foreign)
        (self.run,) = self.worker.claim()
        self.id: Id = self.started.attempt_id
        self.topic = f"run:{self.id}"

    @property
    def token(self) -> str:
        """The token of the claim."""
        token: str = self.run["token"]
        return token

    def reason(self, token: str | None = None, worker: Speaker | None = None) -> str | None:
        """Why a join is refused; None when it is not."""
        reply = (worker or self.worker).say(self.topic, "phx_join", {"token": self.token if token is None else token}, "10")
        return None if reply.status == "ok" else dict(reply.response)["reason"]  # type: ignore[call-overload, no-any-return]

    def end(self, reason: str = "success") -> None:
        """The worker takes it to its end."""
        assert self.reason() is None
        self.worker.do(self.topic, "run:complete", {"reason": reason})

    def begin(self) -> None:
        """The worker begins."""
        assert self.reason() is None
        self.worker.do(self.topic, "run:start")

    def lose(self) -> None:
        """It begins, and its lease ends."""
        self.begin()
        self.expire()

    def expire(self) -> None:
        """Its lease ends."""
        (live,) = self.world.rows(LiveAttempt, "WHERE attempt_id = ?", self.id)
        self.world.do(Expire(self.id, live.claim_number, live.renewed))

    def claim_again(self) -> None:
        """It goes back, and another worker claims it."""
        self.world.do(HandBack(self.id, 1))
        assert self.world.worker("another").claim()

    def hand_back(self) -> None:
        """It goes back to the queue."""
        self.world.do(HandBack(self.id, 1))

    def cancel(self) -> None:
        """Somebody cancels it."""
        self.world.do(Cancel(self.id))


States: dict[str, tuple[Callable[[Scene], None], str | None, str | None]] = {
    # what happened before: why OpenFn's worker is refused, why ours is
    "claimed": (lambda scene: None, None, None),
    "started": (Scene.begin, None, None),
    "lost": (Scene.lose, None, None),
    "cancelled by us": (Scene.cancel, None, None),
    "ended": (Scene.end, "unauthorized", "finished"),
    "crashed": (lambda scene: scene.end("crash"), "unauthorized", "finished"),
    "queued again": (Scene.hand_back, "unauthorized", "stale_claim"),
    "claimed by another": (Scene.claim_again, "unauthorized", "stale_claim"),
}


@pytest.mark.parametrize("foreign", [True, False], ids=["openfn", "ours"])
@pytest.mark.parametrize("state", States)
def test_whether_a_worker_may_join_depends_on_the_attempt(any_world: World, state: str, foreign: bool) -> None:
    scene = Scene(any_world, foreign=foreign)
    happened, for_openfn, for_ours = States[state]
    happened(scene)
    assert scene.reason() == (for_openfn if foreign else for_ours)


@pytest.mark.parametrize("foreign", [True, False], ids=["openfn", "ours"])
def test_a_token_that_is_none_of_ours_is_refused(world: World, foreign: bool) -> None:
    scene = Scene(world, foreign=foreign)
    assert [scene.reason(token) for token in ("", "x", scene.token + "x")] == ["unauthorized"] * 3
    assert scene.worker.say(scene.topic, "phx_join", {}).response == {"reason": "unauthorized"}
    assert scene.worker.say(scene.topic, "phx_join", {"token": 5}).response == {"reason": "unauthorized"}


def test_a_token_is_good_for_its_own_topic_only(world: World) -> None:
    scene, other = Scene(world, foreign=True), new_id()
    refused = scene.worker.say(f"run:{other}", "phx_join", {"token": scene.token})
    assert refused.response == {"reason": "unauthorized"}


def test_an_attempt_that_does_not_exist_is_not_found(world: World) -> None:
    scene, other = Scene(world, foreign=True), new_id()
    token = world.tokens.sign(other, 1, 60, foreign=True)
    assert scene.worker.say(f"run:{other}", "phx_join", {"token": token}).response == {"reason": "not_found"}


def test_a_token_of_a_claim_to_come_is_refused(world: World) -> None:
    scene = Scene(world, foreign=True)
    assert scene.reason(world.tokens.sign(scene.id, 2, 60, foreign=True)) == "unauthorized"


def test_another_worker_cannot_use_a_token_it_has_found(world: World) -> None:
    scene = Scene(world, foreign=True)
    assert scene.reason(worker=world.worker("thief", foreign=True)) == "unauthorized"


def test_an_expired_token_serves_for_reports_and_not_for_data(any_world: World) -> None:
    scene = Scene(any_world, foreign=True)
    old = RunTokens(private_key(), now_s=lambda: time.time() - 4000).sign(scene.id, 1, 60, foreign=True)
    assert scene.reason(old) is None
    for event in ("fetch:plan", "fetch:dataclip", "fetch:credential"):
        assert scene.worker.say(scene.topic, event, {"id": "x"}).response == {"reason": "unauthorized"}
    scene.worker.do(scene.topic, "run:complete", {"reason": "success"})
    assert any_world.attempt(scene.id).state is AttemptState.SUCCESS


def test_nothing_is_answered_before_the_join(world: World) -> None:
    scene = Scene(world, foreign=True)
    for event in ("fetch:plan", "run:start", "step:start", "run:log", "run:complete"):
        assert scene.worker.say(scene.topic, event, {}).response == {"reason": "unauthorized"}
    assert world.attempt(scene.id).state is AttemptState.CLAIMED


def test_nothing_is_fetched_after_the_end(world: World) -> None:
    scene = Scene(world, foreign=True)
    scene.end()
    assert scene.worker.say(scene.topic, "fetch:dataclip", {}).response == {"reason": "unauthorized"}


def test_joins_and_leaves_may_come_in_any_order_and_twice(any_world: World) -> None:
    # R1; a second join replaces the first, whose channel is closed by its own reference.
    scene = Scene(any_world, foreign=True)
    worker, topic = scene.worker, scene.topic
    assert worker.do(topic, "phx_leave", ref="9") == {}
    worker.join(scene.run, "10")
    worker.join(scene.run, "10")
    worker.join(scene.run, "365")
    assert [push for push in worker.heard if push[1] == "phx_close"] == [(topic, "phx_close", {}, "10")]
    assert worker.do(topic, "phx_leave", ref="10") == {}
    worker.do(topic, "run:start", {}, "365")
    assert any_world.attempt(scene.id).state is AttemptState.STARTED


def test_a_second_join_of_the_queue_replaces_the_first(world: World) -> None:
    worker = Speaker(world.desk, foreign=True)
    worker.enter(ref="362")
    worker.enter(ref="364")
    assert worker.heard == [("worker:queue", "phx_close", {}, "362")]
    assert worker.do("worker:queue", "phx_leave", ref="362") == {}
    world.send(chain("One"))
    world.until(lambda: worker.pushed("work-available") == ["worker:queue"])


def test_a_worker_that_has_not_joined_the_queue_gets_no_work(world: World) -> None:
    world.send(chain("One"))
    worker = Speaker(world.desk, foreign=True)
    assert worker.say("worker:queue", "claim", {"demand": 1}).response == {"reason": "unauthorized"}
    assert world.rows(Attempt)[0].state is AttemptState.QUEUED
