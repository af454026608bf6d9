"""Every setting of ``kivuko serve``: one typed value, from flags, ``KIVUKO_*`` variables, ``kivuko.toml`` and defaults, in this order.

A field is a setting: its name in ``kivuko.toml``, ``KIVUKO_`` and the name in capitals in the environment. docs/reference/settings.md is
written from here.
"""

from __future__ import annotations

from dataclasses import Field, dataclass, field, fields
from typing import Any, get_type_hints

__all__ = ["CREDENTIAL_PREFIX", "ServerSettings", "Setting", "every_setting"]

CREDENTIAL_PREFIX = "KIVUKO_CREDENTIAL_"
"""What is behind it names a credential of a project file; no setting of its own."""


def _setting(default: Any, about: str, *names: str, secret: bool = False) -> Any:
    """A field: what it is good for, other names in the environment (which win over none but the default), whether it may be shown."""
    return field(default=default, repr=not secret, metadata={"about": about, "names": names, "secret": secret})


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """What a person may decide about the server. Times end in their unit; a list is written with commas."""

    host: str = _setting("127.0.0.1", "Address to listen on: loopback unless told otherwise; 0.0.0.0 or :: for every one of the machine's")
    port: int = _setting(4000, "Port to listen on; 0 takes any that is free. `serve project.yaml` has 4001")
    url: str = _setting("", "Public address, as in https://kivuko.example.org: for links, cookies and passkeys. Empty: host and port")
    database_url: str = _setting(
        "", "`postgresql://…` or `sqlite:///path`; empty: the SQLite file in the data folder", "DATABASE_URL", secret=True
    )
    inbox_api_key: str = _setting("", "With a project file: key that inboxes ask for in x-api-key; empty: none", secret=True)
    trusted_proxies: tuple[str, ...] = _setting((), "Addresses or networks whose X-Forwarded-For and X-Forwarded-Proto count")
    worker: bool = _setting(True, "Whether jobs run in this process too; off where only `kivuko worker` executes (`--no-worker`)")
    worker_capacity: int = _setting(
        0, "How many Attempts the worker in this process executes at once; 0: one for each 300 MB of memory, 5 to 24", "WORKER_CAPACITY"
    )
    attempt_timeout_s: int = _setting(300, "How long an Attempt may run", "WORKER_MAX_RUN_DURATION_SECONDS")
    attempt_memory_mb: int = _setting(512, "How much memory an Attempt may use", "WORKER_MAX_RUN_MEMORY_MB")
    payload_limit_mb: int = _setting(10, "Largest state that a job may hand on", "WORKER_MAX_PAYLOAD_MB")
    adaptors: str = _setting("", "Folder of installed adaptors; empty: `adaptors` in the data folder", "OPENFN_REPO_DIR")
    host_user: str = _setting("nobody", "Who jobs' processes are when the server is root: a user's name, or uid:gid; empty: root")
    web_threads: int = _setting(8, "Threads that answer requests of the API and of pages")
    body_limit_bytes: int = _setting(16 * 1024 * 1024, "Largest body of a request to the API; inboxes have limits of their own")
    drain_delay_s: float = _setting(
        0.0, "After SIGTERM: how long `/ready` says no before connections are refused; 5 behind a load balancer"
    )
    shutdown_grace_s: float = _setting(30.0, "After SIGTERM: how long open requests and running Attempts may take to end")
    log_format: str = _setting("", "`json` or `console`; empty: console on a terminal, else json")
    log_level: str = _setting("info", "Least level of log lines: debug, info, warning or error")
    mail_url: str = _setting(
        "", "Mail server: `smtp://user:password@host:587` (STARTTLS), `smtps://…:465`, `smtp://host:25?tls=no`; empty: no mail", secret=True
    )
    mail_from: str = _setting("", "Sender of mail; empty: kivuko@ and the host of `url`")
    secret_key: str = _setting("", "Signs sessions and links; empty: made at first start, in the data folder", secret=True)
    encryption_keys: tuple[str, ...] = _setting(
        (), "Keys that encrypt credentials, newest first, each 32 bytes as base64; empty: made at first start", secret=True
    )
    worker_secret: str = _setting("", "What workers sign their tokens with; empty: made at first start", "WORKER_SECRET", secret=True)
    worker_runs_private_key: str = _setting(
        "",
        "RSA key (PEM, or base64 of it) that signs the tokens of Attempts; empty: made at first start",
        "WORKER_RUNS_PRIVATE_KEY",
        secret=True,
    )
    admin_email: str = _setting("", "E-mail address of the first administrator; read on first start only")
    admin_password: str = _setting("", "Their password; read on first start only", secret=True)
    admin_token: str = _setting("", "An API token for them, at least 32 characters; read on first start only", secret=True)


@dataclass(frozen=True)
class Setting:
    """One field of ``ServerSettings``, for reading and for the documentation."""

    name: str
    kind: type
    default: object
    about: str
    variables: tuple[str, ...]
    secret: bool


def every_setting() -> tuple[Setting, ...]:
    """All settings, in the order of the fields."""
    hints = get_type_hints(ServerSettings)
    return tuple(_described(each, hints[each.name]) for each in fields(ServerSettings))


def _described(each: Field[Any], hint: Any) -> Setting:
    kind = hint if isinstance(hint, type) else tuple
    variables = (f"KIVUKO_{each.name.upper()}", *each.metadata["names"])
    return Setting(each.name, kind, each.default, each.metadata["about"], variables, each.metadata["secret"])
