"""How often a password is guessed: few times from one place, and not without end from many. Counted in each process by itself."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

__all__ = ["SignInTries", "Tries"]

_MOST_NAMES = 10_000


class Tries:
    """How often a name was tried in vain: so many at once, then one again each ``every_s``. ``now_s`` is a monotonic clock."""

    def __init__(self, at_once: int = 5, every_s: float = 60, now_s: Callable[[], float] = time.monotonic) -> None:
        self._at_once = at_once
        self._every_s = every_s
        self._now_s = now_s
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def take(self, name: str) -> bool:
        """Whether it may be tried once more."""
        now = self._now_s()
        full_at = max(self._full_at.pop(name, now), now)
        allowed = full_at - now <= (self._at_once - 1) * self._every_s
        self._full_at[name] = full_at + self._every_s if allowed else full_at
        if len(self._full_at) > _MOST_NAMES:
            self._full_at.popitem(last=False)
        return allowed

    def give_back(self, name: str) -> None:
        """The last try was not in vain; those before it stay counted."""
        if name in self._full_at:
            self._full_at[name] -= self._every_s

    def forget(self, name: str) -> None:
        """It was not in vain."""
        self._full_at.pop(name, None)


class SignInTries:
    """Tries of one client for one e-mail address, and of all clients for it, which is a looser bound.

    A stranger who guesses uses up tries of their own: the person signs in from elsewhere all the while. Only many strangers together
    meet the second bound.
    """

    def __init__(self, of_client: Tries | None = None, of_all: Tries | None = None) -> None:
        self._of_client = of_client or Tries()
        self._of_all = of_all or Tries(at_once=100, every_s=6)

    def take(self, email: str, client: str) -> bool:
        """Whether this client may try this address once more. What the first bound refuses does not count for the second."""
        return self._of_client.take(_pair(email, client)) and self._of_all.take(email)

    def succeeded(self, email: str, client: str) -> None:
        """The password was right."""
        self._of_client.forget(_pair(email, client))
        self._of_all.give_back(email)


def _pair(email: str, client: str) -> str:
    return f"{_place(client)} {email}"


def _place(client: str) -> str:
    """The address of a client; of IPv6 the network, for anybody has as many addresses as they like in theirs."""
    try:
        address = ip_address(client)
    except ValueError:
        return client
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or address.packed[:8].hex())
    return str(address)
