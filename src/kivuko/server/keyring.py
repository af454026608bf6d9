"""The server's own secrets: from the settings, else from the data folder, where they are made at first start with mode 0600."""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from kivuko.errors import DataFolderRefused, SettingInvalid
from kivuko.server.settings import ServerSettings

__all__ = ["Keyring", "add_encryption_key", "keyring"]

_RSA_BITS = 2048


@dataclass(frozen=True)
class Keyring:
    """``encryption_keys`` are base64 of 32 bytes, the newest first; ``runs_private_key`` is an RSA key as PEM."""

    secret_key: str = field(repr=False)
    encryption_keys: tuple[str, ...] = field(repr=False)
    worker_secret: str = field(repr=False)
    runs_private_key: str = field(repr=False)

    @property
    def shared(self) -> dict[str, str]:
        """What all servers of a database must have alike besides encryption keys, by name of setting: of the RSA key its public half."""
        public = serialization.load_pem_private_key(self.runs_private_key.encode("ascii"), None).public_key()
        text = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode("ascii")
        return {"secret_key": self.secret_key, "worker_secret": self.worker_secret, "worker_runs_private_key": text}


def keyring(settings: ServerSettings, folder: Path) -> Keyring:
    """The secrets; those that no setting gives are read from ``folder``, and made there when it has none.

    Raises SettingInvalid for keys that are none, DataFolderRefused when files cannot be read or made.
    """
    keys = settings.encryption_keys or tuple(_kept(folder / "encryption_keys", _encryption_key).split())
    for key in keys:
        _check_encryption_key(key)
    return Keyring(
        secret_key=settings.secret_key or _kept(folder / "secret_key", lambda: secrets.token_urlsafe(48)),
        encryption_keys=keys,
        worker_secret=settings.worker_secret or _kept(folder / "worker_secret", lambda: secrets.token_urlsafe(48)),
        runs_private_key=_pem(settings.worker_runs_private_key) or _kept(folder / "worker_runs_key.pem", _rsa_key),
    )


def add_encryption_key(folder: Path) -> None:
    """Makes a new encryption key and puts it before those that are kept in the folder. Raises DataFolderRefused."""
    path = folder / "encryption_keys"
    try:
        older = path.read_text("utf-8").split() if path.exists() else []
        unfinished = _written(path, "\n".join([_encryption_key(), *older]))
        unfinished.replace(path)
        _sync(path.parent)
    except OSError as problem:
        raise DataFolderRefused(f"the secret {path} cannot be read or made: {problem.strerror}") from problem


def _kept(path: Path, make: Callable[[], str]) -> str:
    """What the file holds; made, synced and readable by nobody else when there is none."""
    try:
        if not path.exists():
            _write(path, make())
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
        return path.read_text("utf-8").strip()
    except OSError as problem:
        raise DataFolderRefused(f"the secret {path} cannot be read or made: {problem.strerror}") from problem


def _write(path: Path, text: str) -> None:
    unfinished = _written(path, text)
    try:
        # The first of two processes that start together wins, and both use its key.
        os.link(unfinished, path)
    except FileExistsError:
        pass
    finally:
        unfinished.unlink()
    _sync(path.parent)


def _written(path: Path, text: str) -> Path:
    """A synced file beside ``path``. Whole or not at all: a key that was cut off by a power failure would lock what it encrypts."""
    unfinished = path.with_suffix(f".{secrets.token_hex(4)}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    return unfinished


def _sync(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def _encryption_key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode("ascii")


def _check_encryption_key(key: str) -> None:
    try:
        size_bytes = len(base64.b64decode(key, validate=True))
    except binascii.Error:
        size_bytes = 0
    if size_bytes != 32:
        raise SettingInvalid("an encryption key is not base64 of 32 bytes", fix="Make one: openssl rand -base64 32.")


def _rsa_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS)
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode("ascii")


def _pem(given: str) -> str:
    """The PEM text of a key given as PEM or, as OpenFn's generator prints it, as base64 of that."""
    if not given:
        return ""
    try:
        text = given if given.lstrip().startswith("-----BEGIN") else base64.b64decode(given, validate=True).decode("ascii")
        serialization.load_pem_private_key(text.encode("ascii"), None)
    except (ValueError, TypeError) as problem:
        raise SettingInvalid("worker_runs_private_key is no RSA key", fix="Give it as PEM, or as base64 of that.") from problem
    return text
