"""Who asks a lane."""

from __future__ import annotations

import asyncio

import pytest
from starlette.requests import Request

from kivuko.server.access import Access
from server.asgi import scope_of


class Door:
    """One token and one session are good. ``looked`` counts questions; the clock stands still until it is set."""

    def __init__(self) -> None:
        self.good = {"token": "ada", "session": "grace"}
        self.looked: list[str] = []
        self.now_s = 100.0
        self.access: Access[str] = Access(self._token, self._session, now_s=lambda: self.now_s)

    def _token(self, text: str) -> str | None:
        self.looked.append(text)
        return self.good.get("token") if text == "t" else None

    def _session(self, key: str) -> str | None:
        self.looked.append(key)
        return self.good.get("session") if key == "s" else None

    def actor(self, headers: dict[str, str]) -> str | None:
        """Who asks with these headers."""
        return asyncio.run(self.access.actor(Request(scope_of("GET", "/", headers))))


@pytest.mark.parametrize(
    ("headers", "actor"),
    [
        ({"authorization": "Bearer t"}, "ada"),
        ({"authorization": "bearer  t "}, "ada"),
        ({"authorization": "Bearer x"}, None),
        ({"authorization": "Basic t"}, None),
        ({"cookie": "sessionid=s"}, "grace"),
        ({"cookie": "sessionid=x"}, None),
        ({"authorization": "Bearer x", "cookie": "sessionid=s"}, None),
        ({}, None),
    ],
    ids=["bearer", "spaces", "wrong", "other-scheme", "session", "wrong-session", "token-first", "nothing"],
)
def test_a_token_goes_before_a_session(headers: dict[str, str], actor: str | None) -> None:
    assert Door().actor(headers) == actor


def test_what_was_revoked_is_dead_within_a_second() -> None:
    door = Door()
    assert door.actor({"authorization": "Bearer t"}) == "ada"
    del door.good["token"]
    door.now_s += 0.5
    assert door.actor({"authorization": "Bearer t"}) == "ada"
    door.now_s += 0.6
    assert door.actor({"authorization": "Bearer t"}) is None
    assert len(door.looked) == 2


def test_a_token_is_no_session() -> None:
    door = Door()
    assert door.actor({"authorization": "Bearer t"}) == "ada"
    assert door.actor({"cookie": "sessionid=t"}) is None


@pytest.mark.parametrize(
    ("headers", "client", "inside"),
    [
        ({}, "127.0.0.1", True),
        ({}, "192.0.2.1", False),
        ({"authorization": "Bearer t"}, "192.0.2.1", True),
        ({"x-forwarded-for": "192.0.2.1"}, "127.0.0.1", False),
    ],
    ids=["here", "elsewhere", "token", "by-a-proxy"],
)
def test_details_are_for_this_machine_and_for_tokens(headers: dict[str, str], client: str, inside: bool) -> None:
    request = Request(scope_of("GET", "/ready", headers, client=client))
    assert asyncio.run(Door().access.may_look_inside(request)) is inside
