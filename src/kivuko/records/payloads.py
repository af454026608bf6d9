"""Bodies as bytes: compressed above 1 kB, in the row up to 1 MiB, in a file above (server-and-data §4.3).

Nothing here looks inside a body. An object's key is the id of its row, so deletion is simple and no body is shared.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from kivuko.errors import BodyWiped, RecordsUnavailable
from kivuko.records.ids import Id
from kivuko.records.states import Encoding

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

__all__ = ["ObjectFolder", "ObjectStore", "Payload", "Payloads", "Stored"]

COMPRESS_ABOVE_BYTES = 1024
IN_ROW_UP_TO_BYTES = 1024 * 1024
_LEVEL = 3
_SMALL_BYTES = 128 * 1024


class Stored(Protocol):
    """The columns that hold a body (of a message's version or a dataclip)."""

    encoding: Encoding
    body: bytes | None
    object_key: Id | None


@dataclass(frozen=True)
class Payload:
    """A body ready for its row. ``size_bytes`` is its length before compression."""

    encoding: Encoding
    body: bytes | None
    object_key: Id | None
    size_bytes: int


class ObjectStore(Protocol):
    """Where bodies too large for a row are kept."""

    def put(self, key: Id, data: bytes) -> None:
        """Stores an object; when this returns it is complete and durable. Raises RecordsUnavailable."""

    def get(self, key: Id) -> bytes:
        """An object's bytes. Raises BodyWiped when it is not there."""

    def delete(self, keys: Collection[Id]) -> None:
        """Deletes objects; those that are not there are passed over."""

    def keys(self) -> Iterator[Id]:
        """The keys of all objects, in no order."""


class ObjectFolder:
    """Objects as files in the data folder: written, synced, renamed, folder synced."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, key: Id, data: bytes) -> None:
        """Stores an object. Raises RecordsUnavailable, and leaves nothing, when the disk does not take it."""
        path = self._path(key)
        unfinished = path.with_suffix(".part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_synced(unfinished, data)
            unfinished.rename(path)
            _sync_folders(path.parent, self.folder)
        except OSError as error:
            raise RecordsUnavailable(f"{path} cannot be written: {error.strerror}") from error

    def get(self, key: Id) -> bytes:
        """An object's bytes. Raises BodyWiped when it is not there."""
        try:
            return self._path(key).read_bytes()
        except FileNotFoundError as error:
            raise BodyWiped(f"the file of body {key} is gone") from error

    def delete(self, keys: Collection[Id]) -> None:
        """Deletes objects."""
        for key in keys:
            self._path(key).unlink(missing_ok=True)

    def keys(self) -> Iterator[Id]:
        """The keys of all objects."""
        return (Id.parse(path.stem) for path in self.folder.glob("??/*.body"))

    def _path(self, key: Id) -> Path:
        # The last byte is random: the first ones of a UUIDv7 are the time and would fill one folder after the other.
        name = key.hex()
        return self.folder / name[-2:] / f"{name}.body"


class Payloads:
    """Makes payloads of bodies and bodies of payloads. ``objects`` may be missing where no body is large (tests, small tools)."""

    def __init__(self, objects: ObjectStore | None = None) -> None:
        self._objects = objects

    def store(self, key: Id, body: bytes) -> Payload:
        """The payload of a body whose row will have this id; a large one is durable in the object store when this returns."""
        encoding, stored = _encoded(body)
        if len(body) <= IN_ROW_UP_TO_BYTES or self._objects is None:
            return Payload(encoding, stored, None, len(body))
        self._objects.put(key, stored)
        return Payload(encoding, None, key, len(body))

    def read(self, stored: Stored) -> bytes:
        """The body. Raises BodyWiped when it is gone."""
        data = stored.body
        if data is None and stored.object_key is not None and self._objects is not None:
            data = self._objects.get(stored.object_key)
        if data is None:
            raise BodyWiped()
        return zstd.decompress(data) if stored.encoding == Encoding.ZSTD else data


class _Compressors(threading.local):
    """A compressor for each thread: to set one up takes eight times as long as to compress 2 kB. Large bodies would make it large."""

    def __init__(self) -> None:
        self._kept = zstd.ZstdCompressor(level=_LEVEL)

    def small(self, body: bytes) -> bytes:
        return self._kept.compress(body, zstd.ZstdCompressor.FLUSH_FRAME)


_compressors = _Compressors()


def _encoded(body: bytes) -> tuple[Encoding, bytes]:
    if len(body) > COMPRESS_ABOVE_BYTES:
        packed = _compressors.small(body) if len(body) <= _SMALL_BYTES else zstd.compress(body, _LEVEL)
        if len(packed) < len(body):
            return Encoding.ZSTD, packed
    return Encoding.RAW, body


def _write_synced(path: Path, data: bytes) -> None:
    try:
        with open(path, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        path.unlink(missing_ok=True)
        raise


def _sync_folders(*folders: Path) -> None:
    for folder in folders:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
