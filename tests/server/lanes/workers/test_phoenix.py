"""npm's ``phoenix``, the client that OpenFn's worker uses, against the lane; and run tokens checked by Node's own cryptography."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import pytest

from kivuko.adaptors.toolchain import child_environment
from kivuko.engines.settings import find_node
from kivuko.platform.execution import public_key_of
from kivuko.records import AttemptState
from server.lanes.workers.foreign import token
from server.lanes.workers.serving import Serving
from server.lanes.workers.worlds import World, chain, private_key

VERSION = "1.7.10"
CACHE = Path(__file__).parents[4] / ".cache" / f"phoenix-{VERSION}"
CLIENT = Path(__file__).with_name("phoenix_client.cjs")
ATTEMPTS = 12

pytestmark = pytest.mark.network


@pytest.fixture(scope="module")
def phoenix() -> Path:
    """The package, installed once."""
    package = CACHE / "node_modules" / "phoenix"
    if not package.is_dir():
        CACHE.mkdir(parents=True, exist_ok=True)
        npm = find_node().parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        command = [
            str(find_node()),
            str(npm),
            "install",
            "--no-save",
            "--no-audit",
            "--no-fund",
            "--prefix",
            str(CACHE),
            f"phoenix@{VERSION}",
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=child_environment())
        assert done.returncode == 0, done.stderr
    return package


def test_two_clients_execute_everything_once_and_hear_of_new_work(any_world: World, phoenix: Path) -> None:
    world, document = any_world, chain("One")
    snapshot = world.keep(document)
    started = [world.send(document, json.dumps({"n": n}).encode(), snapshot_id=snapshot) for n in range(ATTEMPTS)]
    with Serving(world) as serving:
        question = {
            "url": serving.url,
            "tokens": [token(worker_id="one"), token(worker_id="two")],
            "badTokens": [token("another secret, which is as long as the right one"), token(iss="someone"), "x"],
            "publicKey": public_key_of(private_key()),
        }
        command = [str(find_node()), str(CLIENT), str(phoenix), json.dumps(question)]
        client = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            assert client.stdout
            assert client.stderr
            first = client.stdout.readline()
            assert first, client.stderr.read()
            answer = json.loads(first)
            sent_at = time.time()
            last = world.send(document, snapshot_id=snapshot)
            pushed = json.loads(client.stdout.readline())
        finally:
            client.kill()
            client.communicate()
    assert answer["refused"] == ["refused"] * 3
    ids = [each for worker in answer["workers"] for each in worker["ids"]]
    assert sorted(ids) == sorted(str(each.attempt_id) for each in started)
    assert all(worker["ids"] for worker in answer["workers"])
    assert [check for worker in answer["workers"] for check in worker["verified"]] == [True] * ATTEMPTS
    assert {world.attempt(each.attempt_id).state for each in started} == {AttemptState.SUCCESS}
    for n, each in enumerate(started):
        (line,) = world.lines(each.attempt_id)
        assert line.message == f'hi {{"n":{n}}}'
        assert json.loads(world.clip(world.attempt(each.attempt_id).final_dataclip_id) or b"")["data"] == {"n": n}
    # Nobody polls any more: only the push can have told them.
    assert pushed["id"] == str(last.attempt_id)
    print("pushed after", round(pushed["pushedAt"] - sent_at * 1000), "ms, the message's own commit included")
