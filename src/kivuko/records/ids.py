"""Keys of the records: UUIDv7, 16 bytes, made here (RFC 9562 §5.7).

The first 48 bits are milliseconds since 1970, the next 12 a fraction of that millisecond (RFC 9562 §6.2, method 3), so keys made in one
process only ever rise and what was inserted later sorts later.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator

__all__ = ["Id", "IdSource", "new_id"]

_FRACTIONS = 4096
_RANDOM_BYTES = 4096
"""So much randomness is asked for at once: a system call for each key would be a tenth of what taking a message in costs."""


class Id(bytes):
    """A key: exactly 16 bytes. ``str()`` gives the usual text with hyphens. Raises ValueError for another length."""

    __slots__ = ()

    def __new__(cls, value: bytes) -> Id:
        """The key with these 16 bytes."""
        if len(value) != 16:
            raise ValueError(f"an id has 16 bytes, not {len(value)}")
        return super().__new__(cls, value)

    @classmethod
    def parse(cls, text: str) -> Id:
        """The key that ``text`` names, with or without hyphens. Raises ValueError when it is none."""
        digits = text.replace("-", "")
        if len(digits) != 32 or not digits.isalnum():
            raise ValueError(f"{text!r} is no id")
        return cls(bytes.fromhex(digits))

    @property
    def made_at_us(self) -> int:
        """When a UUIDv7 was made, in µs since 1970 (a quarter of a microsecond is lost)."""
        fraction = int.from_bytes(self[6:8], "big") & 0x0FFF
        return int.from_bytes(self[:6], "big") * 1000 + fraction * 1000 // _FRACTIONS

    def __str__(self) -> str:
        digits = self.hex()
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"

    def __repr__(self) -> str:
        return f"Id({str(self)!r})"


class IdSource:
    """Makes keys that rise, from any thread, even when the clock is set back. A child made by fork begins with randomness of its own."""

    def __init__(self, now_ns: Callable[[], int] = time.time_ns, random: Callable[[int], bytes] = os.urandom) -> None:
        self._now_ns = now_ns
        self._random = random
        self._last = 0
        self._lock = threading.Lock()
        self._tails: list[bytes] = []
        os.register_at_fork(after_in_child=self._tails.clear)

    def new(self) -> Id:
        """A new key, greater than every one this source made before."""
        moment = self._now_ns() * _FRACTIONS // 1_000_000
        with self._lock:
            moment = self._last = max(moment, self._last + 1)
            if not self._tails:
                self._tails.extend(_tails(self._random(_RANDOM_BYTES)))
            tail = self._tails.pop()
        return bytes.__new__(Id, ((moment >> 12) << 16 | 0x7000 | moment & 0x0FFF).to_bytes(8, "big") + tail)


def _tails(random: bytes) -> Iterator[bytes]:
    """The second halves of keys: the variant of RFC 9562 §4.1, and 62 random bits."""
    return (bytes((0x80 | random[at] & 0x3F,)) + random[at + 1 : at + 8] for at in range(0, len(random), 8))


new_id = IdSource().new
"""A new key from the process's own source."""
