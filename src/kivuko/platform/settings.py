"""Where the platform's database is and which secrets it uses: given once, when a process starts."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from asgiref.local import Local
from django.conf import settings as django_settings
from django.db import connections

from kivuko.errors import InputError
from kivuko.platform.sealing import KeyRing, use_keys
from kivuko.records import PostgresqlDatabase, SqliteDatabase, database_at
from kivuko.records.postgresql import PATIENCE

__all__ = ["MailSettings", "PlatformSettings", "current", "django_database", "records_database", "setup"]

Database = SqliteDatabase | PostgresqlDatabase

CONNECTIONS_LIVE_S = 600
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True)
class MailSettings:
    """The mail server; an empty ``host`` means that no mail is sent. ``tls`` is STARTTLS, ``ssl`` TLS from the first byte."""

    host: str = ""
    port: int = 25
    user: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False
    ssl: bool = False
    sender: str = ""


@dataclass(frozen=True)
class PlatformSettings:
    """What differs between installations.

    ``database`` is an address as ``kivuko.records.database_at`` takes it; empty: the file in the data folder. ``encryption_keys`` are
    base64 of 32 bytes, the newest first; with none, nothing can be encrypted or read. ``public_url`` has no slash at its end.
    """

    data_folder: Path
    database: str = field(default="", repr=False)
    secret_key: str = field(default="", repr=False)
    encryption_keys: tuple[str, ...] = field(default=(), repr=False)
    public_url: str = "http://127.0.0.1:4000"
    allowed_hosts: tuple[str, ...] = ()
    mail: MailSettings = MailSettings()


_in_use: list[PlatformSettings] = []
_guard = threading.Lock()


def current() -> PlatformSettings:
    """The settings in use. Raises RuntimeError before ``setup``."""
    if not _in_use:
        raise RuntimeError("kivuko.platform.setup has not been called")
    return _in_use[0]


def setup(settings: PlatformSettings) -> None:
    """Makes these settings the ones in use; again, in tests, to go to another database.

    Raises InputError for an address that is none, and for encryption keys that are none.
    """
    keys = KeyRing.read(settings.encryption_keys)
    databases = {"default": django_database(settings)}
    with _guard:
        for name, value in _values(settings).items():
            setattr(django_settings, name, value)
        django_settings.DATABASES = databases
        connections.close_all()
        connections.settings = connections.configure_settings(databases)
        # Threads that live longer than these settings must not keep a connection to the database before.
        vars(connections)["_connections"] = Local(connections.thread_critical)
        use_keys(keys)
        _in_use[:] = [settings]


def records_database() -> Database:
    """The same database for ``kivuko.records``; on SQLite it takes turns with the ORM, by the lock of the file."""
    found = database_at(current().database, current().data_folder)
    if not isinstance(found, Database):
        raise InputError("the platform needs SQLite or PostgreSQL")
    return found


def _values(settings: PlatformSettings) -> Mapping[str, object]:
    address, mail = urlsplit(settings.public_url), settings.mail
    https = address.scheme == "https"
    return {
        "SECRET_KEY": settings.secret_key,
        "KIVUKO_PUBLIC_URL": settings.public_url.rstrip("/"),
        "ALLOWED_HOSTS": [*settings.allowed_hosts, *_LOOPBACK, *([address.hostname] if address.hostname else [])],
        "CSRF_TRUSTED_ORIGINS": [f"{address.scheme}://{address.netloc}"] if address.netloc else [],
        "SESSION_COOKIE_SECURE": https,
        "CSRF_COOKIE_SECURE": https,
        "EMAIL_HOST": mail.host,
        "EMAIL_PORT": mail.port,
        "EMAIL_HOST_USER": mail.user,
        "EMAIL_HOST_PASSWORD": mail.password,
        "EMAIL_USE_TLS": mail.tls,
        "EMAIL_USE_SSL": mail.ssl,
        "EMAIL_TIMEOUT": 30,
        "DEFAULT_FROM_EMAIL": mail.sender or f"kivuko@{address.hostname or 'localhost'}",
    }


def django_database(settings: PlatformSettings) -> dict[str, object]:
    """The database as Django describes it. Raises InputError for an address that is none."""
    found = database_at(settings.database, settings.data_folder)
    if isinstance(found, SqliteDatabase):
        # A connection of SQLite costs little to keep, and nothing may be left to a time-out that closes it.
        return {"ENGINE": "kivuko.platform.sqlite", "NAME": str(found.path), "CONN_MAX_AGE": None}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "CONN_MAX_AGE": CONNECTIONS_LIVE_S,
        "CONN_HEALTH_CHECKS": True,
        **_named(settings.database),
    }


def _named(address: str) -> dict[str, object]:
    """Django's names for the parts of a libpq address; the rest goes to libpq as it is."""
    # Imported where PostgreSQL is meant: SQLite starts without its driver.
    read = importlib.import_module("psycopg.conninfo").conninfo_to_dict
    parts = {**PATIENCE, **{name: value for name, value in read(address).items() if value is not None}}
    names = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    given: dict[str, object] = {names[name]: str(parts.pop(name)) for name in names if name in parts}
    return {"NAME": given.get("USER", "postgres"), **given, "OPTIONS": parts}
