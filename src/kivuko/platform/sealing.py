"""Encryption of what the database must not show: AES-256-GCM with a ring of keys (server-and-data §13).

A sealed value is 1 byte version, 4 bytes key id, 12 bytes nonce, ciphertext and tag. Table and row id are associated data: a ciphertext
that is moved to another row does not open.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import models

from kivuko.errors import InputError, SecretUnreadable
from kivuko.records import Id

__all__ = ["KeyRing", "SealedField", "keys", "open_from", "seal_for", "use_keys"]

_ST = TypeVar("_ST", contravariant=True)
_GT = TypeVar("_GT", covariant=True)

if TYPE_CHECKING:
    _Field = models.BinaryField
else:

    class _Field(models.BinaryField):
        __class_getitem__ = classmethod(lambda cls, types: cls)


_VERSION = 1
_NONCE_BYTES = 12
_HEAD_BYTES = 5


class KeyRing:
    """Keys of 32 bytes, the newest first: it seals, all of them open."""

    def __init__(self, ring: Sequence[bytes]) -> None:
        self._ring = {sha256(key).digest()[:4]: AESGCM(key) for key in ring}
        self._newest = next(iter(self._ring), b"")

    @classmethod
    def read(cls, texts: Sequence[str]) -> KeyRing:
        """The ring of keys written as base64. Raises InputError for one that is not 32 bytes."""
        ring = [_decoded(text) for text in texts]
        if any(len(key) != 32 for key in ring):
            raise InputError("an encryption key is not base64 of 32 bytes", fix="Make one: openssl rand -base64 32.")
        return cls(ring)

    def seal(self, plain: bytes, table: str, row_id: Id) -> bytes:
        """The sealed value for this row. Raises InputError without keys."""
        if not self._ring:
            raise InputError("there is no encryption key", fix="Set KIVUKO_ENCRYPTION_KEYS.")
        head, nonce = bytes([_VERSION]) + self._newest, os.urandom(_NONCE_BYTES)
        return head + nonce + self._ring[self._newest].encrypt(nonce, plain, _place(table, row_id))

    def open(self, sealed: bytes, table: str, row_id: Id) -> bytes:
        """What was sealed for this row. Raises SecretUnreadable when its key is not in the ring, or when it is not this row's."""
        cipher = self._ring.get(sealed[1:_HEAD_BYTES])
        if sealed[:1] != bytes([_VERSION]) or cipher is None:
            raise SecretUnreadable(f"a value of {table} {row_id} was encrypted with a key that this server does not have")
        nonce, rest = sealed[_HEAD_BYTES : _HEAD_BYTES + _NONCE_BYTES], sealed[_HEAD_BYTES + _NONCE_BYTES :]
        try:
            return cipher.decrypt(nonce, rest, _place(table, row_id))
        except InvalidTag as error:
            raise SecretUnreadable(f"a value of {table} {row_id} is damaged or belongs to another row") from error

    def is_newest(self, sealed: bytes) -> bool:
        """Whether the newest key sealed it."""
        return sealed[1:_HEAD_BYTES] == self._newest


class SealedField(_Field[_ST, _GT]):
    """A column of sealed values. ``rotation`` finds these columns by their class."""


_keys = [KeyRing([])]


def keys() -> KeyRing:
    """The ring in use."""
    return _keys[0]


def use_keys(ring: KeyRing) -> None:
    """Makes this ring the one in use."""
    _keys[0] = ring


def seal_for(row: models.Model, plain: bytes) -> bytes:
    """A secret sealed for this row; it must have its id."""
    return keys().seal(plain, row._meta.db_table, row.pk)


def open_from(row: models.Model, sealed: bytes | memoryview) -> bytes:
    """What is sealed in a column of this row. Raises SecretUnreadable."""
    return keys().open(bytes(sealed), row._meta.db_table, row.pk)


def _place(table: str, row_id: Id) -> bytes:
    return table.encode() + b"\0" + bytes(row_id)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""
