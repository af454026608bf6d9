"""How Attempts stop before their end: cancelled, fenced, taken away, handed back, parked; and what connections that go and come do."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future

import pytest

from kivuko.records import AttemptState, ExitReason
from kivuko.worker.link import QUEUE, Reply
from worker.rooms import FN, Room, flow

FOREVER = "fn(async s => { console.log('under way'); await new Promise(() => {}); })"
BUSY = "fn(s => { console.log('under way'); while (true); })"
COUNT = "fn(s => ({ ...s, n: (s.n ?? 0) + 1 }))"
SHORT_LEASE_S = 2.0
"""Twelve seconds are too long for a test: a worker stops after three quarters of these, and says ten times before that it lives."""

SLOW = "fn(async s => { console.log('under way'); await new Promise(done => setTimeout(done, 700)); return { slow: true }; })"


@pytest.mark.parametrize("code", [FOREVER, BUSY])
def test_a_cancelled_attempt_ends_at_once_and_follows_nothing(any_room: Room, code: str) -> None:
    room = any_room
    document = flow({"Hang": code, "Tell": COUNT}, (None, "Hang", "always"), ("Hang", "Tell", "on_job_failure"))
    room.worker()
    started = room.send(document)
    room.until_logged(started.attempt_id, "under way")
    room.cancel(started.attempt_id)
    attempt = room.ended(started.attempt_id)
    assert (attempt.state, attempt.error_type) == (AttemptState.CANCELLED, "Cancelled")
    (run,) = room.world.runs(attempt.id)
    assert (run.exit_reason, run.exit_code) == (ExitReason.CANCEL, 4)
    assert room.run(flow({"One": COUNT})).state is AttemptState.SUCCESS


def test_an_attempt_that_takes_too_long_is_killed(room: Room) -> None:
    document = flow({"Hang": BUSY, "Tell": COUNT}, (None, "Hang", "always"), ("Hang", "Tell", "on_job_failure"))
    room.worker()
    snapshot = room.world.keep(document)
    started = room.world.begin(document, body=b"{}", options=b'{"run_timeout_ms":300}')
    attempt = room.ended(started.attempt_id)
    assert snapshot
    assert (attempt.state, attempt.error_type) == (AttemptState.KILLED, "TimeoutError")
    runs = room.runs(attempt, document)
    assert (runs["Hang"].exit_reason, runs["Hang"].exit_code) == (ExitReason.KILL, 2)
    assert runs["Tell"].exit_reason is ExitReason.SUCCESS


def test_limits_of_a_job_are_its_own(room: Room) -> None:
    jobs = {
        "Short": {"expression": FN + BUSY, "timeout_ms": 300},
        "Small": {"expression": FN + "fn(s => { const a = []; while (true) a.push({ x: a.length }); })", "memory_mb": 40},
    }
    document = flow(jobs, (None, "Short", "always"), ("Short", "Small", "on_job_failure"))
    room.worker()
    runs = room.runs(room.run(document), document)
    assert runs["Short"].error_type == "TimeoutError"
    assert (runs["Small"].error_type, runs["Small"].exit_code) == ("OOMError", 134)


def test_a_worker_that_cannot_renew_its_lease_stops_and_another_goes_on(any_room: Room) -> None:
    room = any_room
    document = flow({"One": COUNT, "Hang": SLOW}, (None, "One", "always"), ("One", "Hang", "always"))
    link = room.link("first", lease_s=SHORT_LEASE_S)
    first = room.worker(name="first", link=link)
    started = room.send(document)
    room.until_logged(started.attempt_id, "under way")
    link.cut()
    room.until(lambda: first.busy == 0)
    assert not room.world.attempt(started.attempt_id).state.finished
    link.mend()
    lost = room.ended(started.attempt_id)
    assert (lost.state, lost.error_type) == (AttemptState.LOST, "LostAfterStart")
    (retry,) = [each for each in room.world.rows(type(lost)) if each.retry_of == lost.id]
    retried = room.ended(retry.id)
    assert retried.state is AttemptState.SUCCESS
    assert list(room.runs(retried, document)) == ["Hang"]
    assert room.state(retried.final_dataclip_id) == {"slow": True}


def test_a_fenced_worker_reports_no_end_even_while_its_server_hears_it(room: Room) -> None:
    link = room.link(lease_s=SHORT_LEASE_S)
    room.worker(link=link)
    started = room.send(flow({"Hang": FOREVER}))
    room.until_logged(started.attempt_id, "under way")
    push = link.push
    nothing: Future[Reply] = Future()
    link.push = lambda topic, event, payload: nothing if event == "heartbeat" else push(topic, event, payload)  # type: ignore[method-assign]
    lost = room.ended(started.attempt_id)
    assert lost.state is AttemptState.LOST
    assert [event for topic, event, _ in link.said if topic == f"run:{started.attempt_id}"][-2:] != ["step:complete", "run:complete"]
    (run,) = room.world.runs(lost.id)
    assert (run.exit_reason, run.error_type) == (ExitReason.LOST, "LostAfterStart")


def test_a_worker_that_nobody_can_replace_goes_on_without_its_server(room: Room) -> None:
    link = room.link(lease_s=0.2)
    worker = room.worker(link=link, fences=False)
    started = room.send(flow({"Slow": SLOW}))
    room.until_logged(started.attempt_id, "under way")
    link.cut()
    time.sleep(0.5)  # paced: three looks at a lease that is over, and nothing shall come of them
    assert worker.busy == 1
    link.mend()
    attempt = room.ended(started.attempt_id)
    assert (attempt.state, room.state(attempt.final_dataclip_id)) == (AttemptState.SUCCESS, {"slow": True})


@pytest.mark.parametrize("event", ["phx_join", "fetch:plan", "fetch:dataclip", "run:start", "step:start", "step:complete", "run:complete"])
def test_a_connection_that_goes_at_any_message_loses_and_doubles_nothing(room: Room, event: str) -> None:
    document = flow({"One": COUNT, "Two": COUNT}, (None, "One", "always"), ("One", "Two", "always"))
    link = room.link()
    broken = threading.Event()

    def break_once(topic: str, name: str, payload: object) -> None:
        if name == event and topic.startswith("run:") and not broken.is_set():
            broken.set()
            link.cut()
            threading.Timer(0.02, link.mend).start()

    link.before_push = break_once
    room.worker(link=link)
    attempt = room.run(document)
    assert attempt.state is AttemptState.SUCCESS
    one, two = room.world.runs(attempt.id)
    assert (one.exit_reason, two.exit_reason, one.tries, two.tries) == (ExitReason.SUCCESS, ExitReason.SUCCESS, 1, 1)
    assert room.state(attempt.final_dataclip_id)["n"] == 2
    lines = [line.message for line in room.lines(attempt.id)]
    assert len(lines) == len(set(lines)) == 5
    assert broken.is_set() or event in ("run:start", "run:complete")


def test_a_server_whose_database_is_away_for_a_moment_is_told_again(room: Room) -> None:
    link = room.link()
    refused: list[str] = []
    push = link.push

    def refuse_once(topic: str, event: str, payload: object) -> Future[Reply]:
        if topic.startswith("run:") and event not in refused and event != "phx_leave":
            refused.append(event)
            answer: Future[Reply] = Future()
            answer.set_result(Reply("error", {"reason": "unavailable"}))
            return answer
        return push(topic, event, payload)  # type: ignore[arg-type]

    link.push = refuse_once  # type: ignore[method-assign,assignment]
    room.worker(link=link)
    attempt = room.run(flow({"One": COUNT}))
    assert attempt.state is AttemptState.SUCCESS
    assert {"phx_join", "fetch:plan", "fetch:dataclip", "step:start", "run:batch_logs", "step:complete"} <= set(refused)


def test_nothing_of_a_job_runs_before_its_start_is_acknowledged(room: Room) -> None:
    link = room.link()
    held: Future[Reply] = Future()
    asked = threading.Event()
    push = link.push

    def hold_starts(topic: str, event: str, payload: object) -> Future[Reply]:
        if event != "step:start":
            return push(topic, event, payload)  # type: ignore[arg-type]
        answer: Future[Reply] = Future()
        asked.set()
        done = push(topic, event, payload)  # type: ignore[arg-type]
        held.add_done_callback(lambda _: answer.set_result(done.result()))
        return answer

    link.push = hold_starts  # type: ignore[method-assign,assignment]
    room.worker(link=link)
    started = room.send(flow({"One": "fn(s => { console.log('ran'); return s })"}))
    assert asked.wait(20)
    time.sleep(0.4)  # paced: what ran without leave would have printed by then
    assert room.said(started.attempt_id) == []
    held.set_result(Reply("ok", {}))
    room.ended(started.attempt_id)
    assert room.said(started.attempt_id) == ["ran"]


def test_a_worker_that_stops_waits_for_what_it_does(any_room: Room) -> None:
    room = any_room
    link = room.link()
    worker = room.worker(slots=1, link=link)
    started = room.send(flow({"Slow": SLOW}))
    room.until_logged(started.attempt_id, "under way")
    worker.stop(20)
    assert room.world.attempt(started.attempt_id).state is AttemptState.SUCCESS
    heard = len(link.said)
    waiting = room.send(flow({"One": COUNT}))
    assert room.world.attempt(waiting.attempt_id).state is AttemptState.QUEUED
    room.worker(name="another")
    assert room.ended(waiting.attempt_id).state is AttemptState.SUCCESS
    assert link.said[heard:] == []


def test_what_is_not_over_when_the_grace_is_is_given_up_for_another(room: Room) -> None:
    worker = room.worker()
    document = flow({"Hang": BUSY})
    started = room.send(document)
    room.until_logged(started.attempt_id, "under way")
    worker.stop(0.1)
    lost = room.world.attempt(started.attempt_id)
    assert (lost.state, lost.error_type) == (AttemptState.LOST, "LostAfterStart")


def test_what_has_not_begun_is_handed_back(room: Room) -> None:
    link = room.link()
    asked = threading.Event()
    push = link.push

    def never_plan(topic: str, event: str, payload: object) -> Future[Reply]:
        if event != "fetch:plan":
            return push(topic, event, payload)  # type: ignore[arg-type]
        asked.set()
        return Future()

    link.push = never_plan  # type: ignore[method-assign,assignment]
    worker = room.worker(link=link)
    started = room.send(flow({"One": COUNT}))
    assert asked.wait(20)
    worker.stop(20)
    attempt = room.world.attempt(started.attempt_id)
    assert (attempt.state, attempt.expired_claims) == (AttemptState.QUEUED, 0)
    assert "run:hand_back" in link.events()


def test_an_attempt_that_the_server_gave_away_is_stopped_without_a_word(room: Room) -> None:
    link = room.link()
    worker = room.worker(link=link)
    started = room.send(flow({"Hang": FOREVER}))
    room.until_logged(started.attempt_id, "under way")
    push = link.push

    def give_away(topic: str, event: str, payload: object) -> Future[Reply]:
        if event != "heartbeat":
            return push(topic, event, payload)  # type: ignore[arg-type]
        answer: Future[Reply] = Future()
        answer.set_result(Reply("ok", {"renewed": [], "gone": [str(started.attempt_id)]}))
        return answer

    link.push = give_away  # type: ignore[method-assign,assignment]
    room.until(lambda: worker.busy == 0)
    assert "run:complete" not in link.events()
    assert room.world.attempt(started.attempt_id).state is AttemptState.STARTED


def test_two_workers_share_the_work_and_do_nothing_twice(any_room: Room) -> None:
    room = any_room
    document = flow({"One": COUNT})
    snapshot = room.world.keep(document)
    started = [room.send(document, snapshot_id=snapshot) for _ in range(12)]
    links = [room.link("a"), room.link("b")]
    for name, link in zip("ab", links, strict=True):
        room.worker(name=name, link=link)
    assert {room.ended(each.attempt_id).state for each in started} == {AttemptState.SUCCESS}
    joined = [topic for link in links for topic, event, _ in link.said if event == "phx_join" and topic != QUEUE]
    assert len(joined) == len(set(joined)) == 12


def test_heartbeats_renew_what_is_held(room: Room) -> None:
    link = room.link(lease_s=SHORT_LEASE_S)
    room.worker(link=link)
    started = room.send(flow({"Slow": SLOW.replace("700", "2500")}))
    assert room.ended(started.attempt_id).state is AttemptState.SUCCESS
    beats = [payload for topic, event, payload in link.said if (topic, event) == (QUEUE, "heartbeat")]
    assert {"attempts": [str(started.attempt_id)]} in beats
