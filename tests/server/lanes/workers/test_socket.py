"""The websocket itself: who is let in, frames good and bad (worker-protocol §2, §3)."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from kivuko.records import AttemptState
from server.lanes.workers.foreign import QUEUE, ForeignWorker, address, token
from server.lanes.workers.serving import Serving
from server.lanes.workers.worlds import World, chain


@pytest.fixture
def serving(world: World) -> Iterator[Serving]:
    """The lane on a port."""
    with Serving(world) as opened:
        yield opened


@pytest.fixture
def raw(serving: Serving) -> Iterator[ClientConnection]:
    """A socket of a worker that says anything."""
    with connect(address(serving, token()), proxy=None, compression=None, max_size=None) as opened:
        yield opened


def status_of(url: str) -> int:
    """What an upgrade is answered."""
    try:
        with connect(url, proxy=None):
            return 101
    except InvalidStatus as refusal:
        return refusal.response.status_code


def test_a_bad_token_is_refused_with_403(serving: Serving) -> None:
    # As captured in wrong-secret.jsonl: the worker tries again for ever.
    bad = [token("another secret, which is as long as ours"), token(worker_id=None), token(iss="Lightning"), "", "<jwt>"]
    assert [status_of(address(serving, each)) for each in bad] == [403] * 5
    assert status_of(f"{serving.url}/websocket") == 403


def test_another_serializer_is_refused(serving: Serving) -> None:
    assert status_of(address(serving, token(), vsn="1.0.0")) == 403


def test_another_version_of_the_api_is_let_in(serving: Serving) -> None:
    assert status_of(address(serving, token(), api_version="9.9")) == 101


def test_a_token_is_never_logged(serving: Serving, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    signed = token()
    # Another test in this process may have had uvicorn configure its loggers.
    for name in ("uvicorn", "uvicorn.error"):
        monkeypatch.setattr(logging.getLogger(name), "propagate", True)
    with caplog.at_level(logging.DEBUG, "uvicorn"), caplog.at_level(logging.DEBUG, "uvicorn.error"):
        assert status_of(address(serving, signed)) == 101
        assert status_of(address(serving, signed + "x")) == 403
    said = [record.getMessage() for record in caplog.records if "[accepted]" in record.getMessage() or "403" in record.getMessage()]
    assert said
    assert not any(signed.split(".")[2] in line for line in said)


def test_a_heartbeat_is_answered_in_phoenix_form(raw: ClientConnection) -> None:
    raw.send('[null,"12","phoenix","heartbeat",{}]')
    assert json.loads(raw.recv(20)) == [None, "12", "phoenix", "phx_reply", {"status": "ok", "response": {}}]


def test_a_leave_is_answered_and_the_topic_closed_by_its_own_reference(raw: ClientConnection) -> None:
    raw.send('["6","6","worker:queue","phx_join",{"capacity":1}]')
    assert json.loads(raw.recv(20)) == ["6", "6", QUEUE, "phx_reply", {"status": "ok", "response": {}}]
    raw.send('["6","7","worker:queue","phx_leave",{}]')
    assert json.loads(raw.recv(20)) == ["6", "7", QUEUE, "phx_reply", {"status": "ok", "response": {}}]
    assert json.loads(raw.recv(20)) == ["6", "6", QUEUE, "phx_close", {}]


@pytest.mark.parametrize(
    "data",
    [
        "",
        "nonsense",
        "{}",
        "[]",
        "[1,2,3,4,5]",
        '["6","7","t"]',
        '[null,null,5,"event",{}]',
        '["6",7,"worker:queue","claim",{}]',
        "[" * 5000,
        b"",
        b"\x00",
        b"\x07abcdef",
        b"\x01\x01\x01\x01\x01abcd",
        b"\xff" * 300,
    ],
    ids=lambda data: repr(data)[:20],
)
def test_what_is_no_frame_is_passed_over(raw: ClientConnection, data: str | bytes) -> None:
    raw.send(data)
    raw.send('[null,"1","phoenix","heartbeat",{}]')
    assert json.loads(raw.recv(20))[1] == "1"


@pytest.mark.parametrize(
    "data",
    [
        '["6","9","run:x","step:complete",{"final_state":' + "[" * 3000 + "]" * 3000 + "}]",
        '["6","9","run:x","run:log",{"message":nope}]',
        b"\x00\x01\x01\x05\x07" + b"69run:xrun:log" + b"\x00\x00\x00\xff{}",
        b"\x00\x01\x01\x05\x07" + b"69run:xrun:log" + b"\x00\x00\x00\x0b" + b'{"$body":7}',
    ],
    ids=["too-deep", "no-json", "cut", "no-such-body"],
)
def test_a_payload_that_cannot_be_read_is_answered_with_an_error(raw: ClientConnection, data: str | bytes) -> None:
    raw.send(data)
    assert json.loads(raw.recv(20)) == ["6", "9", "run:x", "phx_reply", {"status": "error", "response": {"reason": "unreadable"}}]


def test_a_payload_that_is_no_object_is_an_empty_one(raw: ClientConnection) -> None:
    raw.send('["6","6","worker:queue","phx_join","{}"]')
    assert json.loads(raw.recv(20))[4] == {"status": "ok", "response": {}}


def test_the_state_comes_as_a_binary_reply(world: World, serving: Serving) -> None:
    started = world.send(chain("One"), b'{"a":1}')
    with ForeignWorker(serving) as worker:
        run = worker.claim()
        topic = f"run:{run['id']}"
        worker.say(topic, "phx_join", {"token": run["token"]})
        ref = worker.send(topic, "fetch:dataclip", {"id": "x"})
        data = worker._socket.recv(20)
    body = b'{"data":{"a":1},"request":{"method":"POST"}}'
    join_ref = str(int(ref) - 1)
    sizes = bytes([1, len(join_ref), len(ref), len(topic), 2])
    assert data == sizes + join_ref.encode() + ref.encode() + topic.encode() + b"ok" + body
    assert str(started.attempt_id) in topic


def test_a_lone_surrogate_which_javascript_may_write_loses_nothing(world: World, serving: Serving) -> None:
    document = chain("One")
    started = world.send(document)
    with ForeignWorker(serving) as worker:
        run = worker.claim()
        topic = f"run:{run['id']}"
        worker.say(topic, "phx_join", {"token": run["token"]})
        assert worker.say(topic, "run:log", {"message": ["broken \ud800"], "source": "JOB", "level": "info"})[0] == "ok"
        step = {"step_id": "x" * 8, "job_id": str(document.jobs[0].id)}
        told = {
            "reason": "fail",
            "error_type": "JobError",
            "error_message": "\ud83d",
            "output_dataclip": '"\\ud800"',
            "output_dataclip_id": "o",
        }
        assert worker.say(topic, "step:complete", {**step, **told})[0] == "ok"
        assert worker.say(topic, "run:complete", {"reason": "success", "final_state": {"a": "\ud800"}})[0] == "ok"
    attempt = world.attempt(started.attempt_id)
    assert attempt.state is AttemptState.SUCCESS
    assert json.loads(world.clip(attempt.final_dataclip_id) or b"") == {"a": "\ud800"}
    assert world.clip(world.runs(attempt.id)[0].output_dataclip_id) == b'"\\ud800"'


def test_ten_megabytes_pass_as_a_text_in_a_text(world: World, serving: Serving) -> None:
    document = chain("One")
    started = world.send(document)
    output = json.dumps({"data": 'x"\\' * 3_500_000})
    with ForeignWorker(serving) as worker:
        run = worker.claim()
        topic = f"run:{run['id']}"
        worker.say(topic, "phx_join", {"token": run["token"]})
        step = {"step_id": "x" * 8, "job_id": str(document.jobs[0].id)}
        told = {"reason": "success", "output_dataclip": output, "output_dataclip_id": "o"}
        assert worker.say(topic, "step:complete", {**step, **told})[0] == "ok"
    assert world.clip(world.runs(started.attempt_id)[0].output_dataclip_id) == output.encode()


def test_many_messages_at_once_are_all_answered(raw: ClientConnection) -> None:
    for number in range(1000):
        raw.send(json.dumps([None, str(number), "phoenix", "heartbeat", {}]))
    assert [json.loads(raw.recv(20))[1] for _ in range(1000)] == [str(number) for number in range(1000)]


def test_an_unknown_topic_or_event_never_closes_the_socket(raw: ClientConnection) -> None:
    raw.send('["6","6","worker:queue","phx_join",{"capacity":1}]')
    raw.recv(20)
    for topic, event in (("lobby", "phx_join"), ("worker:queue", "dance"), ("run:x", "phx_join"), ("phoenix", "dance")):
        raw.send(json.dumps(["6", "7", topic, event, {}]))
        assert json.loads(raw.recv(20))[4]["status"] == "error"


def test_work_is_pushed_without_a_claim(world: World, serving: Serving) -> None:
    with ForeignWorker(serving) as worker:
        world.send(chain("One"))
        assert worker.receive()[2:] == [QUEUE, "work-available", {}]
