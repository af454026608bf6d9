"""Who really asks, when a proxy stands between: X-Forwarded-* of proxies that are trusted, and of nobody else."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from starlette.types import Scope

from kivuko.errors import SettingInvalid
from kivuko.server.headers import header

__all__ = ["Proxies", "comes_from_here"]

_FORWARDING = (b"forwarded", b"x-forwarded-for", b"x-real-ip", b"via")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Proxies:
    """The proxies that are trusted, by addresses or networks. Raises SettingInvalid for one that is neither."""

    def __init__(self, trusted: Iterable[str]) -> None:
        self._networks: tuple[Network, ...] = tuple(_network(each) for each in trusted)

    def seen(self, scope: Scope) -> Scope:
        """The scope with the client and scheme that a trusted proxy names; the same one from anybody else."""
        client = scope.get("client")
        if not self._networks or client is None or not self._trusts(client[0]):
            return scope
        named = [part.strip() for part in (header(scope["headers"], b"x-forwarded-for") or "").split(",") if part.strip()]
        # From the right: what stands further left was written by whoever sent it.
        address = next((each for each in reversed(named) if not self._trusts(each)), named[0] if named else client[0])
        scheme = (header(scope["headers"], b"x-forwarded-proto") or "").strip().lower()
        secure = {"http": {"http": "http", "https": "https"}, "websocket": {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}}
        told = secure[scope["type"]].get(scheme, scope["scheme"])
        return {**scope, "client": (address, 0), "scheme": told, "kivuko.forwarded": True}

    def _trusts(self, address: str) -> bool:
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(found in network for network in self._networks)


def comes_from_here(scope: Scope) -> bool:
    """Whether somebody on this machine asks, and not on behalf of somebody else (a proxy that is not trusted names whom it speaks for)."""
    client = scope.get("client")
    if client is None:
        return False
    if not scope.get("kivuko.forwarded") and any(name in _FORWARDING for name, _ in scope["headers"]):
        return False
    try:
        return ipaddress.ip_address(client[0]).is_loopback
    except ValueError:
        return False


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError as problem:
        raise SettingInvalid(
            f"trusted_proxies has {text!r}, which is no address or network", fix="Write 10.0.0.5 or 10.0.0.0/8."
        ) from problem
