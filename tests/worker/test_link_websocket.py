"""What only a link over the network can meet: servers that go and come back, refuse, or are not there."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from websockets.sync.server import serve

from kivuko.errors import InputError, LinkDown
from kivuko.platform.execution import WorkerTokens
from kivuko.records import AttemptState
from kivuko.worker.link import QUEUE
from kivuko.worker.link_websocket import ServerAddress, WebsocketLink
from records.own_sqlite import empty_sqlite
from server.lanes.workers.serving import SECRET, Serving
from server.lanes.workers.worlds import World, chain

OWN = {"capacity": 5, "queues": {"*": 5}, "kivuko": 1, "kinds": ["javascript"], "version": "1", "name": "w"}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Records with a desk."""
    with World(empty_sqlite(tmp_path)) as opened:
        yield opened


class Heard:
    """Counts ups and downs."""

    def __init__(self) -> None:
        self.changes: list[bool] = []
        self._condition = threading.Condition()

    def push(self, topic: str, event: str, payload: Mapping[str, object]) -> None:
        """Nothing is done."""

    def change(self, up: bool) -> None:
        """Up or down."""
        with self._condition:
            self.changes.append(up)
            self._condition.notify_all()

    def wait(self, *changes: bool) -> None:
        """Until these changes have been heard."""
        with self._condition:
            assert self._condition.wait_for(lambda: self.changes == list(changes), 20), self.changes


def test_a_server_that_lets_go_at_once_is_not_asked_without_a_pause() -> None:
    came: queue.SimpleQueue[float] = queue.SimpleQueue()
    with serve(lambda connection: came.put(time.monotonic()), "127.0.0.1", 0) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        port = server.socket.getsockname()[1]
        link = WebsocketLink(ServerAddress(f"ws://127.0.0.1:{port}", "w", SECRET), retry_s=0.2)
        heard = Heard()
        link.listen(heard.push, heard.change)
        try:
            at = [came.get(timeout=20) for _ in range(3)]
        finally:
            link.close()
            server.shutdown()
            serving.join()
    # 0.2 s and then 0.4 s, less what the clock of another thread may differ.
    assert at[2] - at[0] >= 0.5


def test_it_comes_back_by_itself_and_goes_on_with_the_same_attempt(world: World) -> None:
    started = world.send(chain("One"))
    heard = Heard()
    with Serving(world, own=True) as serving:
        link = WebsocketLink(ServerAddress(serving.url, "w", SECRET), retry_s=0.01)
        link.listen(heard.push, heard.change)
        heard.wait(True)
        link.push(QUEUE, "phx_join", OWN).result(20)
        (run,) = link.push(QUEUE, "claim", {"demand": 1, "queues": ["*"]}).result(20).response["runs"]  # type: ignore[index]
        topic = f"run:{run['id']}"
        assert link.push(topic, "phx_join", {"token": run["token"]}).result(20).ok
        serving.stop()
        heard.wait(True, False)
        with pytest.raises(LinkDown):
            link.push(topic, "run:start", {}).result(20)
        assert link.problem
        serving.again()
        heard.wait(True, False, True)
        assert link.problem == ""
        link.push(QUEUE, "phx_join", OWN).result(20)
        assert link.push(topic, "run:start", {}).result(20).reason == "unauthorized"
        assert link.push(topic, "phx_join", {"token": run["token"]}).result(20).ok
        assert link.push(topic, "run:complete", {"reason": "success"}).result(20).ok
        link.close()
    assert world.attempt(started.attempt_id).state is AttemptState.SUCCESS


def test_what_waits_for_an_answer_hears_that_the_connection_has_gone(world: World) -> None:
    heard = Heard()
    with Serving(world, own=True) as serving:
        link = WebsocketLink(ServerAddress(serving.url, "w", SECRET), retry_s=0.01)
        link.listen(heard.push, heard.change)
        heard.wait(True)
        link.push(QUEUE, "phx_join", OWN).result(20)
        gate = threading.Event()
        # The desk's threads are busy: a claim that has found something waits for one of them.
        for _ in range(4):
            world.desk.pool.submit(gate.wait)
        world.send(chain("One"))
        waiting = link.push(QUEUE, "claim", {"demand": 1, "queues": ["*"]})
        world.until(lambda: bool(world.rows_in_state(AttemptState.CLAIMED)))
        serving.stop()
        with pytest.raises(LinkDown):
            waiting.result(20)
        gate.set()
        link.close()
    # Nobody has heard of the claim: it is given back at once.
    world.until(lambda: bool(world.rows_in_state(AttemptState.QUEUED)))


def test_a_server_that_refuses_is_named_with_what_to_do(world: World) -> None:
    with Serving(world) as serving:
        link = WebsocketLink(ServerAddress(serving.url, "w", "another secret, which is as long as ours"), retry_s=0.01)
        link.listen(Heard().push, Heard().change)
        world.until(lambda: "WORKER_SECRET" in link.problem)
        link.close()


def test_a_server_that_is_not_there_is_tried_again(world: World) -> None:
    heard = Heard()
    with Serving(world, own=True) as serving:
        serving.stop()
        link = WebsocketLink(ServerAddress(serving.url, "w", SECRET), retry_s=0.01)
        link.listen(heard.push, heard.change)
        world.until(lambda: link.problem != "not connected yet")
        with pytest.raises(LinkDown):
            link.push(QUEUE, "phx_join", OWN).result(20)
        serving.again()
        heard.wait(True)
        link.close()


def test_closing_does_not_wait_for_a_server_that_is_not_there(world: World) -> None:
    with Serving(world, own=True) as serving:
        serving.stop()
        link = WebsocketLink(ServerAddress(serving.url, "w", SECRET), retry_s=60)
        link.listen(Heard().push, Heard().change)
        world.until(lambda: link.problem != "not connected yet")
        link.close()
        serving.again()


@pytest.mark.parametrize(
    ("given", "connected"),
    [
        ("ws://localhost:4000/worker", "ws://localhost:4000/worker/websocket"),
        ("ws://localhost:4000", "ws://localhost:4000/worker/websocket"),
        ("http://localhost:4000/", "ws://localhost:4000/worker/websocket"),
        ("https://kivuko.example.org", "wss://kivuko.example.org/worker/websocket"),
        ("wss://example.org/kivuko/worker/", "wss://example.org/kivuko/worker/websocket"),
        ("localhost:4000", "ws://localhost:4000/worker/websocket"),
        ("[::1]:4000", "ws://[::1]:4000/worker/websocket"),
    ],
)
def test_addresses_may_be_written_in_several_ways(given: str, connected: str) -> None:
    url = urlsplit(ServerAddress(given, "w", SECRET, "1.2").socket_url())
    assert f"{url.scheme}://{url.netloc}{url.path}" == connected
    asked = parse_qs(url.query)
    assert (asked["vsn"], asked["api_version"], asked["worker_version"]) == (["2.0.0"], ["1.2"], ["1.2"])
    assert WorkerTokens(SECRET).read(asked["token"][0]) == "w"


@pytest.mark.parametrize("given", ["", "ftp://x", "ws://", "/worker"])
def test_what_is_no_address_is_refused(given: str) -> None:
    with pytest.raises(InputError, match="no address"):
        WebsocketLink(ServerAddress(given, "w", SECRET))


def test_the_secret_is_not_shown() -> None:
    assert SECRET not in repr(ServerAddress("ws://x", "w", SECRET))


def test_a_token_is_made_anew_for_each_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    given = ServerAddress("ws://x", "w", SECRET)
    monkeypatch.setattr(time, "time", lambda: 1000.0)
    first = given.socket_url()
    monkeypatch.setattr(time, "time", lambda: 2000.0)
    assert given.socket_url() != first
