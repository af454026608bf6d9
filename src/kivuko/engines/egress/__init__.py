"""Which addresses jobs may reach (engine.md §12).

level 1   egress.js    inside the host: patched connect, sees names
level 2   EgressGuard  outside of it: decides at the system call, cannot be gone around
"""

from __future__ import annotations

from pathlib import Path

from kivuko.engines.egress.destinations import Destination, parse_destination
from kivuko.engines.egress.guard import EgressGuard, guard_child
from kivuko.engines.egress.presets import LINK_LOCAL, LOOPBACK, METADATA, MULTI_TENANT, OPEN, PRIVATE, SELF_HOSTED
from kivuko.engines.egress.rules import Rules, name_servers
from kivuko.engines.egress.sockaddr import SocketAddress

__all__ = [
    "EGRESS_JS",
    "LINK_LOCAL",
    "LOOPBACK",
    "METADATA",
    "MULTI_TENANT",
    "OPEN",
    "PRIVATE",
    "SELF_HOSTED",
    "Destination",
    "EgressGuard",
    "Rules",
    "SocketAddress",
    "guard_child",
    "name_servers",
    "parse_destination",
]

EGRESS_JS = Path(__file__).with_name("egress.js")
"""Level 1, to be loaded by the host before any adaptor."""
