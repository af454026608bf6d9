"""What every link does, whatever carries it: the same tests within the process and over a websocket."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from kivuko.errors import LinkDown
from kivuko.records import AttemptState, Cancel, new_id
from kivuko.server.lanes.workers import local_conversation
from kivuko.worker.link import QUEUE, Link, Reply, run_topic
from kivuko.worker.link_local import LocalLink
from kivuko.worker.link_websocket import ServerAddress, WebsocketLink
from server.lanes.workers.serving import SECRET, Serving
from server.lanes.workers.worlds import World, chain, world_in

OWN = {"capacity": 5, "queues": {"*": 5}, "kivuko": 1, "kinds": ["javascript"], "version": "1", "name": "w"}


class Heard:
    """What a link told."""

    def __init__(self) -> None:
        self.pushes: list[tuple[str, str]] = []
        self.changes: list[bool] = []
        self.up = threading.Event()

    def push(self, topic: str, event: str, payload: Mapping[str, object]) -> None:
        """A push of the server."""
        self.pushes.append((topic, event))

    def change(self, up: bool) -> None:
        """Up or down."""
        self.changes.append(up)
        (self.up.set if up else self.up.clear)()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Records with a desk."""
    with world_in(tmp_path) as opened:
        yield opened


@pytest.fixture
def serving(world: World) -> Iterator[Serving]:
    """The lane on a port."""
    with Serving(world) as opened:
        yield opened


@pytest.fixture
def heard() -> Heard:
    """Hears the link."""
    return Heard()


@pytest.fixture(params=["local", "websocket"])
def link(request: pytest.FixtureRequest, world: World, heard: Heard) -> Iterator[Link]:
    """A link that is up, and has joined the queue."""
    made: Link
    if request.param == "local":
        made = LocalLink(lambda push: local_conversation(world.desk, "w", push))
    else:
        serving: Serving = request.getfixturevalue("serving")
        made = WebsocketLink(ServerAddress(serving.url, "w", SECRET), retry_s=0.01)
    made.listen(heard.push, heard.change)
    assert heard.up.wait(20)
    assert ok(made, QUEUE, "phx_join", OWN) == {"heartbeat_s": 1, "lease_s": 12, "ends": True}
    yield made
    made.close()


def say(link: Link, topic: str, event: str, payload: Mapping[str, object] | None = None) -> Reply:
    """Pushes and waits."""
    return link.push(topic, event, payload or {}).result(20)


def ok(link: Link, topic: str, event: str, payload: Mapping[str, object] | None = None) -> object:
    """The response to what goes well."""
    reply = say(link, topic, event, payload)
    assert reply.ok, reply.response
    return reply.response


def taken(link: Link) -> str:
    """Claims one Attempt and joins it; its topic."""
    found = ok(link, QUEUE, "claim", {"demand": 1, "queues": ["*"], "worker_name": "w"})
    assert isinstance(found, dict)
    (run,) = found["runs"]
    topic = run_topic(run["id"])
    ok(link, topic, "phx_join", {"token": run["token"]})
    return topic


def test_it_says_that_it_is_up(link: Link, heard: Heard) -> None:
    assert heard.changes == [True]


def test_an_empty_queue_gives_nothing(link: Link) -> None:
    assert ok(link, QUEUE, "claim", {"demand": 1, "queues": ["*"], "worker_name": "w"}) == {"runs": []}


def test_bodies_cross_as_they_are_in_both_directions(link: Link, world: World) -> None:
    # Larger than a row holds, with all that JSON would have to escape.
    body = b'{"data":"' + b"\\u0041\\n\xc3\xa9\xf0\x9f\x98\x80" * 100_000 + b'"}'
    document = chain("One")
    started = world.send(document, body)
    topic = taken(link)
    assert ok(link, topic, "fetch:dataclip") == b'{"data":' + body + b',"request":{"method":"POST"}}'
    step, job = str(started.run_ids[0]), str(document.jobs[0].id)
    ok(link, topic, "run:start", {"next": [{"job_id": job}]})
    ok(link, topic, "step:start", {"step_id": step, "job_id": job})
    clip = str(new_id())
    ok(
        link,
        topic,
        "step:complete",
        {"step_id": step, "job_id": job, "reason": "success", "output_dataclip": body, "output_dataclip_id": clip, "next": []},
    )
    assert ok(link, topic, "run:complete", {"reason": "success", "final_dataclip_id": clip}) == {"state": "success"}
    assert world.clip(world.attempt(started.attempt_id).final_dataclip_id) == body


def test_inputs_of_what_follows_cross_inside_of_a_list(link: Link, world: World) -> None:
    document = chain("One", "Two")
    started = world.send(document)
    topic = taken(link)
    first, second = document.jobs
    step = str(started.run_ids[0])
    ok(link, topic, "run:start", {"next": [{"job_id": str(first.id)}]})
    ended = ok(
        link,
        topic,
        "step:complete",
        {
            "step_id": step,
            "job_id": str(first.id),
            "reason": "fail",
            "error": {"name": "JobError", "message": "boom", "line": 1},
            "next": [{"job_id": str(second.id), "cause": "failure", "input_dataclip": b'{"error":"boom"}'}],
        },
    )
    assert isinstance(ended, dict)
    followed = world.runs(started.attempt_id)[1]
    assert ended["run_ids"] == [str(followed.id)]
    assert world.clip(followed.input_dataclip_id) == b'{"error":"boom"}'


def test_messages_of_one_topic_keep_their_order_without_waiting(link: Link, world: World) -> None:
    document = chain("One")
    started = world.send(document)
    topic = taken(link)
    step, job = str(started.run_ids[0]), str(document.jobs[0].id)
    futures = [
        link.push(topic, "fetch:plan", {}),
        link.push(topic, "fetch:dataclip", {}),
        link.push(topic, "run:start", {"next": [{"job_id": job}]}),
        link.push(topic, "step:start", {"step_id": step, "job_id": job}),
        link.push(topic, "run:batch_logs", {"logs": [{"seq": 1, "message": "a", "step_id": step}]}),
        link.push(topic, "run:batch_logs", {"logs": [{"seq": 2, "message": "b", "step_id": step}]}),
        link.push(topic, "step:complete", {"step_id": step, "job_id": job, "reason": "success", "output_dataclip": b"1"}),
        link.push(topic, "run:complete", {"reason": "success"}),
    ]
    assert [future.result(20).ok for future in futures] == [True] * 8
    assert world.attempt(started.attempt_id).state is AttemptState.SUCCESS
    assert [line.message for line in world.lines(started.attempt_id)] == ["a", "b"]


def test_a_join_and_what_follows_it_may_be_sent_together(link: Link, world: World) -> None:
    world.send(chain("One"))
    found = ok(link, QUEUE, "claim", {"demand": 1, "queues": ["*"], "worker_name": "w"})
    assert isinstance(found, dict)
    (run,) = found["runs"]
    topic = run_topic(run["id"])
    futures = [link.push(topic, event, {"token": run["token"]}) for event in ("phx_join", "fetch:plan", "fetch:dataclip")]
    assert [future.result(20).ok for future in futures] == [True] * 3


def test_new_work_is_told(link: Link, world: World, heard: Heard) -> None:
    world.send(chain("One"))
    world.until(lambda: (QUEUE, "work-available") in heard.pushes)


def test_a_cancel_is_told_on_the_attempts_topic(link: Link, world: World, heard: Heard) -> None:
    started = world.send(chain("One"))
    topic = taken(link)
    world.do(Cancel(started.attempt_id))
    world.until(lambda: (topic, "run:cancel") in heard.pushes)


def test_what_nobody_knows_is_answered_with_an_error(link: Link, world: World) -> None:
    world.send(chain("One"))
    topic = taken(link)
    assert say(link, topic, "run:dance").reason == "unknown_event"
    assert say(link, QUEUE, "dance").reason == "unknown_event"
    assert say(link, "lobby", "phx_join").reason == "unmatched topic"
    assert say(link, "run:nothing", "phx_join").reason == "not_found"
    assert say(link, run_topic(str(new_id())), "step:start").reason == "unauthorized"


def test_a_heartbeat_names_what_the_worker_holds_and_hears_what_is_gone(link: Link, world: World) -> None:
    first, second = world.send(chain("One")), world.send(chain("One"))
    topics = {taken(link), taken(link)}
    ids = sorted(topic.removeprefix("run:") for topic in topics)
    assert ok(link, QUEUE, "heartbeat", {"attempts": ids}) == {"renewed": ids, "gone": []}
    ok(link, run_topic(str(first.attempt_id)), "run:hand_back")
    after = ok(link, QUEUE, "heartbeat", {"attempts": [*ids, str(new_id())]})
    assert after == {"renewed": [str(second.attempt_id)], "gone": [str(first.attempt_id)]}


def test_many_threads_share_it(link: Link, world: World) -> None:
    document = chain("One")
    snapshot = world.keep(document)
    for _ in range(8):
        world.send(document, snapshot_id=snapshot)
    seen: list[str] = []

    def work() -> None:
        for _ in range(2):
            topic = taken(link)
            for number in range(1, 11):
                ok(link, topic, "run:batch_logs", {"logs": [{"seq": number, "message": str(number)}]})
            ok(link, topic, "run:complete", {"reason": "success"})
            seen.append(topic)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(set(seen)) == 8


def test_what_waits_hears_that_the_link_was_closed(link: Link, world: World) -> None:
    link.close()
    with pytest.raises(LinkDown):
        say(link, QUEUE, "claim", {"demand": 1})


def test_a_worker_that_goes_away_keeps_its_attempt_for_its_lease(link: Link, world: World) -> None:
    started = world.send(chain("One"), b"null")
    taken(link)
    link.close()
    assert world.attempt(started.attempt_id).state is AttemptState.CLAIMED
