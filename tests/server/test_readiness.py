"""/health and /ready."""

from __future__ import annotations

import asyncio
import threading

import pytest
from starlette.requests import Request
from starlette.routing import Route, Router

from kivuko.server import readiness
from kivuko.server.readiness import Check, Health, Readiness
from server.asgi import Answer, ask


def asked(state: Readiness, path: str = "/ready", *, inside: bool = True) -> Answer:
    """The answer, for somebody who may see details or may not."""

    async def may_see(request: Request) -> bool:
        return inside

    health = Health(state, may_see)
    return ask(Router([Route("/health", health.health), Route("/ready", health.ready)]), "GET", path)


def test_it_is_ready_when_every_check_is_content() -> None:
    answer = asked(Readiness({"database": lambda: "", "queue": lambda: ""}))
    assert (answer.status, answer.json) == (200, {"status": "ready", "checks": {"database": "ok", "queue": "ok"}})


def test_a_check_says_why_it_is_not() -> None:
    answer = asked(Readiness({"database": lambda: "the disk is full", "queue": lambda: ""}))
    assert (answer.status, answer.headers["retry-after"]) == (503, "5")
    assert answer.json["checks"] == {"database": "the disk is full", "queue": "ok"}


def test_others_hear_only_whether() -> None:
    assert asked(Readiness({"database": lambda: "canary"}), inside=False).json == {"status": "not ready"}


def test_a_server_that_stops_is_not_ready_and_still_healthy() -> None:
    state = Readiness({}, stopping=True)
    assert asked(state).status == 503
    assert asked(state, "/health").status == 200


def test_a_check_that_hangs_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "_PATIENCE_S", 0.01)
    hanging = threading.Event()

    def hang() -> str:
        hanging.wait(20)
        return ""

    async def problems() -> dict[str, str]:
        found = await Readiness({"database": hang}).problems()
        hanging.set()
        return found

    assert "no answer within" in asyncio.run(problems())["database"]


def test_whoever_asks_often_costs_little() -> None:
    asked_for: list[int] = []

    def check() -> str:
        asked_for.append(1)
        return ""

    checks: dict[str, Check] = {"database": check}

    async def often() -> None:
        state = Readiness(checks)
        for _ in range(50):
            await state.problems()

    asyncio.run(often())
    assert len(asked_for) < 50
