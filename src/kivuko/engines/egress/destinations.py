"""Destinations that a policy opens by name or address: ``host:port``."""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Callable, Iterable

from kivuko.errors import InputError
from kivuko.value import value

__all__ = ["Address", "AllowList", "Destination", "Resolve", "parse_destination", "resolve_name"]

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str], Iterable[str]]

_FRESH_S = 60.0
_REMEMBERED_S = 600.0


@value
class Destination:
    """One entry of an allow-list: a name (lower case) or an address, and a port."""

    host: str
    port: int


def parse_destination(text: str) -> Destination:
    """Read ``name:port``, ``1.2.3.4:port`` or ``[v6]:port``. Raises InputError."""
    host, colon, port = text.strip().rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if not colon or not host or (":" in host and not bracketed) or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise InputError(f"{text!r} is no destination.", fix="Write host:port, for example db.example.org:5432 or [2001:db8::1]:443.")
    return Destination(host.strip("[]").lower().rstrip("."), int(port))


def resolve_name(name: str) -> tuple[str, ...]:
    """The addresses of a name, as the system's resolver gives them; none when it knows none."""
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except OSError:
        return ()
    return tuple(str(entry[4][0]) for entry in found)


def address_of(text: str) -> Address | None:
    """The address that a text writes, without its zone; None if it writes none."""
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None


class AllowList:
    """Addresses and ports that are open whatever is blocked.

    A name is resolved when it is first asked for and again when its answer is older than 60 s. An address stays open for 10 minutes after
    it was last seen, because names with many addresses give them in turns.
    """

    def __init__(self, entries: Iterable[str], resolve: Resolve = resolve_name, clock: Callable[[], float] = time.monotonic) -> None:
        self._resolve = resolve
        self._clock = clock
        self._names: list[Destination] = []
        self._fixed: set[tuple[Address, int]] = set()
        self._seen: dict[tuple[Address, int], float] = {}
        self._resolved_at: float | None = None
        for entry in map(parse_destination, entries):
            address = address_of(entry.host)
            if address is None:
                self._names.append(entry)
            else:
                self._fixed.add((address, entry.port))

    def opens(self, address: Address, port: int) -> bool:
        """Whether this address and port are on the list."""
        if (address, port) in self._fixed:
            return True
        if not any(entry.port == port for entry in self._names):
            return False
        self.refresh()
        seen = self._seen.get((address, port))
        return seen is not None and self._clock() - seen <= _REMEMBERED_S

    def refresh(self) -> None:
        """Resolve the names if their answers are older than 60 s."""
        now = self._clock()
        if not self._names or (self._resolved_at is not None and now - self._resolved_at < _FRESH_S):
            return
        for entry in self._names:
            for found in map(address_of, self._resolve(entry.host)):
                if found is not None:
                    self._seen[(found, entry.port)] = now
        self._resolved_at = now
