"""Frames between supervisor and host: ``u32 length · u8 type · payload`` (engine.md §7).

Frames that carry state have the payload ``u32 length of meta · meta as JSON · state bytes``; the state is never parsed here.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterator, Mapping
from typing import cast

from kivuko.value import value

__all__ = ["BadFrame", "Frame", "FrameReader", "json_frame", "raw_frame", "state_frame"]

HEADER = struct.Struct("<IB")
META = struct.Struct("<I")
READ_SIZE = 1 << 18
LARGE_READS = 32


class BadFrame(Exception):
    """A host sent what is no frame: it is broken or a job has forged something."""


@value
class Frame:
    """One frame from a host: its type (one letter), and its payload (a large one is a bytearray that nobody changes any more)."""

    kind: str
    payload: bytes | bytearray

    def json(self) -> dict[str, object]:
        """The payload as a JSON object. Raises BadFrame."""
        return _object(self.payload)

    def split(self) -> tuple[dict[str, object], bytes]:
        """Meta and state of a frame that carries state; to be called once. Raises BadFrame."""
        if len(self.payload) < META.size:
            raise BadFrame("a frame with state is too short")
        (length,) = META.unpack_from(self.payload)
        end = META.size + length
        if end > len(self.payload):
            raise BadFrame("the meta of a frame is longer than the frame")
        meta = _object(bytes(self.payload[META.size : end]))
        if isinstance(self.payload, bytearray):  # a large frame: its head is cut off in place, the state is not copied
            del self.payload[:end]
            return meta, cast(bytes, self.payload)
        return meta, self.payload[end:]


def _object(text: bytes | bytearray) -> dict[str, object]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise BadFrame(f"a frame holds no JSON: {problem}") from problem
    if not isinstance(value, dict):
        raise BadFrame("a frame holds no JSON object")
    return value


def json_frame(kind: str, value: object) -> bytes:
    """A frame whose payload is a JSON value."""
    payload = json.dumps(value, separators=(",", ":")).encode()
    return HEADER.pack(len(payload), ord(kind)) + payload


def raw_frame(kind: str, payload: bytes = b"") -> tuple[bytes, bytes]:
    """A frame with any payload, in two pieces so that a large one is not copied."""
    return HEADER.pack(len(payload), ord(kind)), payload


def state_frame(kind: str, meta: object, state: bytes) -> tuple[bytes, bytes]:
    """A frame that carries state, in two pieces so that a large state is not copied."""
    text = json.dumps(meta, separators=(",", ":")).encode()
    head = HEADER.pack(META.size + len(text) + len(state), ord(kind)) + META.pack(len(text)) + text
    return head, state


class FrameReader:
    """Puts frames together from what a non-blocking descriptor gives."""

    def __init__(self, descriptor: int, most_bytes: Mapping[str, int]) -> None:
        """``most_bytes`` is the longest payload of each type that may come."""
        self.ended = False
        self.dry = False
        self._descriptor = descriptor
        self._most_bytes = most_bytes
        self._buffer = bytearray()
        self._large: tuple[str, bytearray, int] | None = None

    def available(self) -> Iterator[Frame]:
        """Some of the frames that are complete by now; what is left comes with the next call, so that one writer never keeps the reader.

        Sets ``ended`` at the end of the pipe, and ``dry`` when nothing more is there just now. Raises BadFrame.
        """
        self.dry = False
        if self._large is not None:
            yield from self._fill_large()
            return
        try:
            data = os.read(self._descriptor, READ_SIZE)
        except BlockingIOError:
            self.dry = True
            return
        if not data:
            self.ended = self.dry = True
            return
        self.dry = len(data) < READ_SIZE
        self._buffer += data
        yield from self._cut()

    def _cut(self) -> Iterator[Frame]:
        start = 0
        try:
            while len(self._buffer) - start >= HEADER.size:
                length, kind = HEADER.unpack_from(self._buffer, start)
                letter = chr(kind)
                most_bytes = self._most_bytes.get(letter)
                if most_bytes is None:
                    raise BadFrame(f"a frame of unknown type {letter!r}")
                if length > most_bytes:
                    raise BadFrame(f"a frame of {length} bytes, more than the limit of {most_bytes}")
                body, end = start + HEADER.size, start + HEADER.size + length
                if len(self._buffer) < end:
                    if length > READ_SIZE:
                        self._begin_large(letter, length, body)
                        start = 0
                    return
                start = end
                yield Frame(letter, bytes(self._buffer[body:end]))
        finally:  # also when whoever takes the frames does not go on
            del self._buffer[:start]

    def _begin_large(self, letter: str, length: int, body: int) -> None:
        payload = bytearray(length)
        have = len(self._buffer) - body
        payload[:have] = self._buffer[body:]
        self._buffer.clear()
        self._large = (letter, payload, have)

    def _fill_large(self) -> Iterator[Frame]:
        assert self._large is not None
        letter, payload, have = self._large
        for _ in range(LARGE_READS):
            try:
                count = os.readv(self._descriptor, [memoryview(payload)[have:]])
            except BlockingIOError:
                self.dry = True
                break
            if count == 0:
                self.ended = self.dry = True
                break
            have += count
            if have == len(payload):
                self._large = None
                yield Frame(letter, payload)
                return
        self._large = (letter, payload, have)
