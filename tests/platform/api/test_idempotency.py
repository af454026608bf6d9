"""Idempotency-Key: the same request twice is done once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kivuko.platform.api.context import platform, use
from kivuko.platform.api.idempotency import KEPT_US, UNDER_WAY_US
from kivuko.platform.api.models import KeptAnswer
from kivuko.platform.projects.models import Project
from platform_api.world import Answer, World


def ask(world: World, key: str, body: Any, path: str = "projects") -> Answer:
    return world.api.ask("POST", path, body, headers={"Idempotency-Key": key})


def test_the_same_key_and_body_get_the_first_answer(world: World) -> None:
    first, again = (ask(world, "a", {"name": "once"}) for _ in range(2))
    assert (first.status, again.status) == (201, 201)
    assert again.body == first.body
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert Project.objects.filter(name="once").count() == 1


def test_the_same_key_for_something_else_is_a_conflict(small_world: World) -> None:
    ask(small_world, "a", {"name": "once"})
    for answer in (ask(small_world, "a", {"name": "twice"}), ask(small_world, "a", {"name": "once"}, "tokens")):
        assert (answer.status, answer.code) == (409, "idempotency_conflict")


def test_keys_of_others_are_others(small_world: World) -> None:
    ask(small_world, "a", {"name": "once"})
    answer = small_world.stranger().ask("POST", "projects", {"name": "another"}, headers={"Idempotency-Key": "a"})
    assert (answer.status, answer.json["name"]) == (201, "another")


def test_only_what_was_done_is_kept(small_world: World) -> None:
    assert ask(small_world, "a", {"name": "NOT GOOD"}).status == 422
    assert ask(small_world, "a", {"name": "good"}).status == 201


def test_a_request_under_way_is_waited_for_until_it_must_have_died(world: World) -> None:
    ask(world, "a", {"name": "once"})
    KeptAnswer.objects.update(status=0)
    answer = ask(world, "a", {"name": "once"})
    assert (answer.status, answer.code, answer.headers["Retry-After"]) == (409, "idempotency_conflict", "1")
    KeptAnswer.objects.update(asked_at=platform().now_us() - UNDER_WAY_US - 1)
    Project.objects.filter(name="once").update(name="before-the-crash")
    assert ask(world, "a", {"name": "once"}).status == 201
    assert ask(world, "a", {"name": "once"}).headers["Idempotency-Replayed"] == "true"


def test_answers_are_kept_for_a_day(small_world: World) -> None:
    ask(small_world, "a", {"name": "once"})
    now = platform().now_us()
    use(replace(platform(), now_us=lambda: now + KEPT_US + 1))
    assert ask(small_world, "a", {"name": "twice"}).status == 201
    assert KeptAnswer.objects.count() == 1


def test_a_kept_token_cannot_be_read_from_the_database(small_world: World) -> None:
    made = ask(small_world, "a", {"name": "nightly"}, "tokens")
    assert ask(small_world, "a", {"name": "nightly"}, "tokens").json["token"] == made.json["token"]
    (kept,) = KeptAnswer.objects.all()
    assert made.json["token"].encode() not in bytes(kept.sealed or b"")


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_a_key_that_cannot_be_is_refused(small_world: World, key: str) -> None:
    assert ask(small_world, key, {"name": "once"}).status == 422
