"""Whether all servers of a database have the same secrets. Each would seem well, and refuse what the others have signed or encrypted.

The database keeps fingerprints: what a secret gives under a key of its own, from which nobody finds it. Secrets that people choose go
through scrypt, for they may be short.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence

from django.db import transaction

from kivuko.errors import SettingInvalid
from kivuko.platform.projects.models import SharedSecret
from kivuko.platform.reaching import reaching

__all__ = ["accept_secrets", "agree_on_keys", "agree_on_secrets", "is_newest_key", "keep_keys"]

_KEYS = "encryption_keys"
_LABEL = b"kivuko: fingerprint of an encryption key"
_SCRYPT = {"n": 2**14, "r": 8, "p": 1, "dklen": 16}


@reaching()
def agree_on_secrets(given: Mapping[str, str]) -> None:
    """Compares secrets by name of setting with those of the servers before; the first server's are kept.

    Raises SettingInvalid that names all that differ.
    """
    with transaction.atomic():
        different = sorted(name for name, secret in given.items() if not _is_same(name, secret))
        if different:
            raise _refusal(different)


@reaching()
def agree_on_keys(ring: Sequence[str]) -> None:
    """Compares the encryption keys (base64, the newest first) with those of the servers before.

    A server may know more keys than the others, also a newer one, but it must know what the newest of them encrypts with. Raises
    SettingInvalid.
    """
    mine = [_of_key(key) for key in ring]
    with transaction.atomic():
        newest, *former = _newest_keys(mine[0])
        if newest not in mine:
            raise _refusal([_KEYS])
        # One that encrypts with a former key still has to be restarted: that changes nothing.
        if mine[0] not in former:
            _keep(_KEYS, " ".join(dict.fromkeys([mine[0], newest, *former])))


@reaching()
def is_newest_key(ring: Sequence[str]) -> bool:
    """Whether the first of these keys is what the newest server encrypts with; also where there was no server yet.

    Raises SettingInvalid when that server's key is none of these.
    """
    mine = [_of_key(key) for key in ring]
    with transaction.atomic():
        newest, *_ = _newest_keys(mine[0])
    if newest not in mine:
        raise _refusal([_KEYS])
    return newest == mine[0]


@reaching()
def keep_keys(ring: Sequence[str]) -> None:
    """After a rotation: from now on every server must know the first of these keys."""
    newest = _of_key(ring[0])
    with transaction.atomic():
        _keep(_KEYS, " ".join(dict.fromkeys([newest, *_newest_keys(newest)])))


@reaching()
def accept_secrets(given: Mapping[str, str], ring: Sequence[str]) -> None:
    """Takes these as the secrets of all servers from now on."""
    with transaction.atomic():
        for name, secret in given.items():
            _keep(name, _of_secret(secret, secrets.token_bytes(16)))
        _keep(_KEYS, _of_key(ring[0]))


def _newest_keys(first: str) -> list[str]:
    """The key that the newest server encrypts with, and before it those that were the newest; ``first`` where there was no server yet."""
    row, _ = SharedSecret.objects.select_for_update().get_or_create(name=_KEYS, defaults={"fingerprint": first})
    return row.fingerprint.split()


def _is_same(name: str, secret: str) -> bool:
    made = _of_secret(secret, secrets.token_bytes(16))
    row, _ = SharedSecret.objects.select_for_update().get_or_create(name=name, defaults={"fingerprint": made})
    salt = bytes.fromhex(row.fingerprint.partition(":")[0])
    return hmac.compare_digest(row.fingerprint, made if row.fingerprint == made else _of_secret(secret, salt))


def _keep(name: str, fingerprint: str) -> None:
    SharedSecret.objects.update_or_create(name=name, defaults={"fingerprint": fingerprint})


def _of_secret(secret: str, salt: bytes) -> str:
    return f"{salt.hex()}:{hashlib.scrypt(secret.encode(), salt=salt, **_SCRYPT).hex()}"


def _of_key(key: str) -> str:
    return hmac.digest(base64.b64decode(key), _LABEL, "sha256")[:16].hex()


def _refusal(names: Sequence[str]) -> SettingInvalid:
    settings = " and ".join(f"KIVUKO_{name.upper()}" for name in names)
    return SettingInvalid(
        f"this server's {' and '.join(names)} {'is' if len(names) == 1 else 'are'} not what the other servers of its database have",
        fix=f"Give all of them the same {settings}, or the same folder `secrets` in their data folders. "
        "After a change that was meant, with all servers stopped: kivuko keys accept.",
    )
