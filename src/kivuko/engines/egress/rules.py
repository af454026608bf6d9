"""A policy made ready for deciding: may this process connect to that address?"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable
from pathlib import Path

from kivuko.engines.egress.destinations import Address, AllowList, Resolve, address_of, resolve_name
from kivuko.engines.egress.embedded import embedded_ipv4
from kivuko.engines.run import EgressPolicy
from kivuko.errors import InputError

__all__ = ["Rules", "name_servers"]

_DNS_PORT = 53


def name_servers(path: Path = Path("/etc/resolv.conf")) -> frozenset[Address]:
    """The name servers of this machine (resolv.conf(5)); the loopback address when none is named, as the resolver does."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    words = [line.split() for line in lines]
    found = {address_of(parts[1]) for parts in words if len(parts) > 1 and parts[0] == "nameserver"} - {None}
    return frozenset(one for one in found if one is not None) or frozenset({ipaddress.IPv4Address("127.0.0.1")})


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise InputError(f"{text!r} is no network ({error}).", fix="Write networks in CIDR form, for example 10.0.0.0/8.") from error


class Rules:
    """One egress policy, ready. Raises InputError for a network or destination that cannot be read."""

    def __init__(
        self,
        policy: EgressPolicy,
        *,
        resolve: Resolve = resolve_name,
        servers: Callable[[], Iterable[Address]] = name_servers,
    ) -> None:
        self.policy = policy
        self._servers = servers
        self._blocked = tuple(map(_network, policy.blocked))
        self._allowed = AllowList(policy.allowed, resolve)

    def permits(self, host: str | Address, port: int) -> bool:
        """Whether an address may be connected to; a text that is no address may not.

        An IPv6 address that carries an IPv4 address is judged as that one too. The machine's name servers are open on port 53, or a policy
        that blocks their network would cut off names.
        """
        address = address_of(host) if isinstance(host, str) else host
        if address is None:
            return False
        meant = (address, *(embedded_ipv4(address) if isinstance(address, ipaddress.IPv6Address) else ()))
        blocked = [one for one in meant if any(one in network for network in self._blocked)]
        return all(self._opened(one, port) for one in blocked) or (bool(blocked) and self._allowed.opens(address, port))

    def _opened(self, address: Address, port: int) -> bool:
        return self._allowed.opens(address, port) or (port == _DNS_PORT and address in self._servers())
