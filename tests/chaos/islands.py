"""Machines of their own for workers: network namespaces, with one cable to the server and another to everything else.

The whole scenario runs in a namespace of its own (``unshare --net --mount``), so nothing of it is left on the machine, however it ends.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence

__all__ = ["WORLD", "Island", "by_itself", "impossible_here", "lay_cables", "wake_loopback"]

WORLD = "10.213.0.1"
"""The address at which the target system stands, reachable from everywhere."""

_INSIDE = "CHAOS_BY_ITSELF"
# A bucket too small for any packet: all are dropped, and nobody is told.
_DROP_ALL = ("root", "tbf", "rate", "8bit", "burst", "1", "latency", "1ms")


def impossible_here() -> str:
    """Why this machine cannot do it; empty when it can."""
    missing = [name for name in ("ip", "tc", "unshare", "mount") if shutil.which(name) is None]
    if missing:
        return f"{' and '.join(missing)} not installed"
    tried = subprocess.run(["unshare", "--net", "--mount", "true"], capture_output=True, text=True, check=False)
    return tried.stderr.strip() if tried.returncode else ""


def by_itself(arguments: Sequence[str]) -> int | None:
    """Repeats this program in namespaces of its own; its exit code. None when it is there already. ``arguments`` are the program's."""
    if os.environ.get(_INSIDE):
        return None
    command = ["unshare", "--net", "--mount", "--propagation", "private", sys.executable, *arguments]
    return subprocess.run(command, env={**os.environ, _INSIDE: "1"}, check=False).returncode


def wake_loopback() -> None:
    """A new namespace's loopback is down."""
    _do("ip", "link", "set", "lo", "up")


def lay_cables() -> None:
    """Prepares the scenario's own namespace: a loopback, the world's address, and a place for the islands' names."""
    wake_loopback()
    _do("ip", "address", "add", f"{WORLD}/32", "dev", "lo")
    _do("mount", "-t", "tmpfs", "islands", "/run")


class Island:
    """A network namespace. The server is at ``server_address`` from here; ``prefix`` starts programs here."""

    def __init__(self, number: int) -> None:
        self._name = f"island{number}"
        self.server_address = f"10.200.{number}.1"
        self.prefix = ("ip", "netns", "exec", self._name)
        self._cable = (f"server{number}", f"server{number}i")
        _do("ip", "netns", "add", self._name)
        self._connect(*self._cable, f"10.200.{number}")
        self._connect(f"world{number}", f"world{number}i", f"10.201.{number}")
        self._here("ip", "link", "set", "lo", "up")
        self._here("ip", "route", "add", f"{WORLD}/32", "via", f"10.201.{number}.1")

    def cut(self) -> None:
        """Drops every packet between here and the server, both ways, without a word to either."""
        _do("tc", "qdisc", "add", "dev", self._cable[0], *_DROP_ALL)
        self._here("tc", "qdisc", "add", "dev", self._cable[1], *_DROP_ALL)

    def heal(self) -> None:
        """Lets packets pass again."""
        _do("tc", "qdisc", "del", "dev", self._cable[0], "root")
        self._here("tc", "qdisc", "del", "dev", self._cable[1], "root")

    def _connect(self, outside: str, inside: str, network: str) -> None:
        _do("ip", "link", "add", outside, "type", "veth", "peer", "name", inside)
        _do("ip", "link", "set", inside, "netns", self._name)
        _do("ip", "address", "add", f"{network}.1/30", "dev", outside)
        _do("ip", "link", "set", outside, "up")
        self._here("ip", "address", "add", f"{network}.2/30", "dev", inside)
        self._here("ip", "link", "set", inside, "up")

    def _here(self, *command: str) -> None:
        _do(*self.prefix, *command)


def _do(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
