"""Who really asks."""

from __future__ import annotations

import pytest

from kivuko.errors import SettingInvalid
from kivuko.server.proxies import Proxies, comes_from_here
from server.asgi import scope_of

TRUSTED = Proxies(["10.0.0.0/8", "127.0.0.1"])


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "203.0.113.9, 10.2.2.2", "203.0.113.9"),
        ("10.0.0.1", "1.1.1.1, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "10.3.3.3, 10.2.2.2", "10.3.3.3"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("203.0.113.1", "198.51.100.1", "203.0.113.1"),
    ],
    ids=["one", "two-proxies", "forged-left", "all-trusted", "none", "not-trusted"],
)
def test_only_what_trusted_proxies_add_counts(peer: str, forwarded: str, client: str) -> None:
    seen = TRUSTED.seen(scope_of("GET", "/", {"x-forwarded-for": forwarded}, client=peer))
    assert seen["client"][0] == client


def test_the_scheme_of_a_trusted_proxy_counts() -> None:
    headers = {"x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "https"}
    assert TRUSTED.seen(scope_of("GET", "/", headers, client="10.0.0.1"))["scheme"] == "https"
    assert TRUSTED.seen(scope_of("GET", "/", headers, client="203.0.113.1"))["scheme"] == "http"
    socket = {**scope_of("GET", "/", headers, client="10.0.0.1"), "type": "websocket", "scheme": "ws"}
    assert TRUSTED.seen(socket)["scheme"] == "wss"


def test_this_machine_is_told_from_others() -> None:
    assert comes_from_here(scope_of("GET", "/"))
    assert comes_from_here(scope_of("GET", "/", client="::1"))
    assert not comes_from_here(scope_of("GET", "/", client="192.0.2.1"))


@pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded", "x-real-ip", "via"])
def test_a_proxy_on_this_machine_that_nobody_trusts_is_not_this_machine(header: str) -> None:
    assert not comes_from_here(scope_of("GET", "/", {header: "203.0.113.9"}))


def test_through_a_trusted_proxy_the_named_client_decides() -> None:
    assert not comes_from_here(TRUSTED.seen(scope_of("GET", "/", {"x-forwarded-for": "203.0.113.9"})))


def test_a_proxy_that_is_no_address_is_refused() -> None:
    with pytest.raises(SettingInvalid, match="no address or network"):
        Proxies(["proxy.example.org"])
