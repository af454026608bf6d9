"""Ids of what a project file designs: made from names, so that the next start finds the same things again."""

from __future__ import annotations

from hashlib import sha256

from kivuko.records import Id

__all__ = ["named_id"]


def named_id(*names: str) -> Id:
    """The id of what these names lead to (RFC 9562 §5.8: a version 8 id, whose bits are ours)."""
    digest = bytearray(sha256("\0".join(("kivuko", *names)).encode("utf-8", "surrogatepass")).digest()[:16])
    digest[6] = 0x80 | digest[6] & 0x0F
    digest[8] = 0x80 | digest[8] & 0x3F
    return Id(bytes(digest))
