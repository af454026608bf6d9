"""Doing it again: the 10-second rule with four writers at once, and bulk reruns, over HTTP on both databases."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from journeys.own_server import Answer, OwnServer, eventually
from journeys.test_initial_states import Scene

pytestmark = [pytest.mark.network, pytest.mark.slow, pytest.mark.xdist_group("journeys")]
PAIRS = 25
WRITERS = 4


def test_of_four_writers_at_once_exactly_one_starts_a_run(place: OwnServer) -> None:
    """R-072: and the others are told which run it was; ten seconds later the pair can start again, once."""
    scene = Scene(place, "rule")
    messages = [place.send(scene.inbox["url"], {"n": at})["message_id"] for at in range(PAIRS)]
    job = scene.save("Once", "fn(s => s);", scene.message())["jobs"][0]["id"]
    body = json.dumps({"job_id": job}).encode()

    def race(message: str, barrier: threading.Barrier) -> Answer:
        barrier.wait(30)
        return place.ask("POST", f"/api/v1/messages/{message}/runs", body, place.asking)

    def round_of(message: str) -> list[Answer]:
        barrier = threading.Barrier(WRITERS)
        return list(pool.map(lambda _: race(message, barrier), range(WRITERS)))

    with ThreadPoolExecutor(WRITERS) as pool:
        for message in messages:
            answers = round_of(message)
            won = [answer.json["run_id"] for answer in answers if answer.status == 201]
            refused = [answer for answer in answers if answer.status == 429]
            assert (len(won), len(refused)) == (1, WRITERS - 1)
            for answer in refused:
                assert (answer.json["code"], answer.json["run_id"]) == ("too_soon", won[0])
                assert 0 < answer.json["retry_after_s"] <= 10
                assert 1 <= int(answer.headers["retry-after"]) <= 10
        assert len(scene.runs("Once", PAIRS)) == PAIRS
        last = place.ask("POST", f"/api/v1/messages/{messages[0]}/runs", body, place.asking)
        if last.status == 429:
            time.sleep(last.json["retry_after_s"])  # paced: the server says how long
            assert sorted(answer.status for answer in round_of(messages[0])) == [201, 429, 429, 429]
    assert len(scene.runs("Once", PAIRS + 1)) == PAIRS + 1


def test_bulk_reruns_count_keep_order_and_rate_skip_and_are_cancelled(place: OwnServer) -> None:
    scene = Scene(place, "bulk")
    place.patch(f"/projects/{scene.project}", {"concurrency": 1})
    sent = [place.send(scene.inbox["url"], {"n": at})["message_id"] for at in range(12)]
    scene.save("Again", "fn(s => s);", scene.message())
    bulk = f"/projects/{scene.project}/bulk_reruns"

    def ended(operation: str) -> dict[str, object]:
        return eventually(lambda: (found := place.get(f"/operations/{operation}"))["finished_at"] and found, 60)  # type: ignore[no-any-return]

    assert place.post(bulk, {"filter": {}, "dry_run": True}) == {"count": 12}
    assert place.post(bulk, {"filter": {"job_state": "failure"}, "dry_run": True}) == {"count": 0}
    began = time.monotonic()
    first = ended(place.post(bulk, {"filter": {}, "order": "newest", "rate_per_s": 10})["id"])
    assert (first["state"], first["total"], first["done"], first["failed"]) == ("done", 12, 12, 0)
    # Twelve at ten a second: the last is due 1.1 s after the first, which may be let go with it when the clock is coarse.
    assert time.monotonic() - began > 0.9
    runs = sorted(scene.runs("Again", 12), key=lambda run: run["queued_at"])
    assert [run["message_id"] for run in runs] == sent[::-1]

    again = ended(place.post(bulk, {"filter": {}})["id"])
    assert (again["state"], again["done"], again["skipped"], again["skipped_reasons"]) == ("done", 0, 12, {"too_soon": 12})

    slow = place.post(bulk, {"filter": {}, "rate_per_s": 0.1})["id"]
    place.post(f"/operations/{slow}/cancel", {})
    cancelled = ended(slow)
    assert (cancelled["state"], cancelled["total"]) == ("cancelled", 12)
    refused = place.ask("POST", f"/api/v1/operations/{slow}/cancel", b"{}", place.asking)
    assert (refused.status, refused.json["code"]) == (409, "already_finished")


def test_a_bulk_rerun_of_runs_leaves_followers_to_their_sources(place: OwnServer) -> None:
    """R-065: three runs and the three that follow them; three are started, the others come by themselves."""
    if place.database_url:
        pytest.skip("ten seconds are long; which runs follow others is found in the same way everywhere")
    scene = Scene(place, "followers")
    # Distinct messages, so that the 10-second rule has nothing to say about the chain.
    source = scene.save("Source", "fn(s => s);", scene.message())["jobs"][0]["id"]
    scene.save("Follower", "fn(s => s);", {"kind": "success", "source_job_id": source})
    for at in range(3):
        place.send(scene.inbox["url"], {"n": at})
    scene.runs("Follower", 3)
    time.sleep(10)  # paced: the 10-second rule is a promise about real time
    operation = place.post(f"/projects/{scene.project}/bulk_reruns", {"subject": "runs", "filter": {}})["id"]
    ended = eventually(lambda: (found := place.get(f"/operations/{operation}"))["finished_at"] and found, 60)
    assert (ended["total"], ended["done"], ended["skipped_reasons"]) == (6, 3, {"follows_another": 3})
    assert (len(scene.runs("Source", 6)), len(scene.runs("Follower", 6))) == (6, 6)
