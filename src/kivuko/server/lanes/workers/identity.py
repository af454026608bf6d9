"""Who is at the other end of a connection."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from kivuko.records import Id, Needs

__all__ = ["Identity", "Peer"]


@dataclass(frozen=True)
class Identity:
    """The worker as its token names it: the same for all connections that it makes."""

    worker_id: str

    @property
    def key(self) -> Id:
        """The worker's key in the records: every node finds the same one."""
        return Id(hashlib.sha256(b"worker\0" + self.worker_id.encode("utf-8", "surrogatepass")).digest()[:16])


@dataclass(frozen=True)
class Peer:
    """What a worker said when it joined the queue. ``foreign``: OpenFn's own, which knows nothing beyond OpenFn's protocol."""

    foreign: bool
    kinds: Needs
    capacity: int
    name: str
    version: str
