"""What jobs of a server can reach, and whom they share a process with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from kivuko.engines import EgressPolicy
from kivuko.engines.egress import MULTI_TENANT
from kivuko.records import AttemptState, Id
from server.lanes.workers.worlds import GOOD
from systems.adaptor_repo import VERSIONS, adaptor_repo
from systems.loopback import Loopback, Reply
from worker.rooms import FN, Room, flow

HTTP = f"@openfn/language-http@{VERSIONS['http']}"
OTHER = Id(b"other-credential")


@pytest.fixture
def stub() -> Iterator[Loopback]:
    with Loopback(lambda request: Reply(200, {"ok": True})) as server:
        yield server


def test_a_server_for_strangers_lets_no_job_reach_its_own_network(room: Room, stub: Loopback) -> None:
    room.worker(repo_dir=adaptor_repo("http"), egress=MULTI_TENANT)
    document = flow({"Ask": {"expression": f"get('{stub.url}/')", "adaptor": HTTP}})
    attempt = room.run(document)
    assert (attempt.state, stub.requests) == (AttemptState.FAILED, [])
    assert "EBLOCKED" in " ".join(line.message for line in room.lines(attempt.id))


def test_what_is_allowed_is_open_all_the_same(room: Room, stub: Loopback) -> None:
    address = stub.url.removeprefix("http://")
    room.worker(repo_dir=adaptor_repo("http"), egress=EgressPolicy(MULTI_TENANT.blocked, (address,), unix_sockets=False))
    attempt = room.run(flow({"Ask": {"expression": f"get('{stub.url}/')", "adaptor": HTTP}}))
    assert (attempt.state, len(stub.requests)) == (AttemptState.SUCCESS, 1)


def test_projects_and_credentials_never_share_a_host(room: Room) -> None:
    room.world.shelf.credentials[OTHER] = {"user": "v", "password": "0ther-secret"}
    worker = room.worker(slots=1, most_hosts=8)
    job = {"expression": FN + "fn(s => s)"}
    one = flow({"Plain": job, "Good": {**job, "credential_id": GOOD}, "Other": {**job, "credential_id": OTHER}})
    again = replace(flow({"Plain": job}), project_id=one.project_id)
    stranger = flow({"Plain": job})
    keys = []
    for document in (one, again, stranger):
        room.run(document)
        keys.append({(host.key.project, host.key.credential) for host in worker._engine._supervisor._pool.hosts if host.key})
    own = {key for key in keys[0] if key[0] == str(one.project_id)}
    assert len({credential for _, credential in own}) == 3
    assert keys[1] == keys[0], "the same project and credential find their host again"
    assert {key[0] for key in keys[2]} == {str(one.project_id), str(stranger.project_id)}
    assert not any("s3cret" in credential or "0ther" in credential for _, credential in keys[2])


def test_an_adaptors_modules_are_new_for_each_attempt_and_kept_within(room: Room) -> None:
    room.worker(repo_dir=adaptor_repo("common"), slots=1, most_hosts=1)
    common = f"@openfn/language-common@{VERSIONS['common']}"
    first = {"expression": "cursor('2026-01-01', { key: 'since' });\nfn(s => s)", "adaptor": common}
    second = {"expression": "cursor('2026-02-02');\nfn(s => ({ data: { keys: Object.keys(s).sort() } }))", "adaptor": common}
    both = flow({"First": first, "Second": second}, (None, "First", "always"), ("First", "Second", "always"))
    alone = flow({"Second": second})
    kept = room.state(room.run(both).final_dataclip_id)["data"]["keys"]
    fresh = room.state(room.run(alone).final_dataclip_id)["data"]["keys"]
    assert ("since" in kept, "cursor" in kept) == (True, False)
    assert ("since" in fresh, "cursor" in fresh) == (False, True)
