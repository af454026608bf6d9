"""The settings of a worker from its environment: OpenFn's WORKER_* names, as its own worker has them (worker-protocol §12)."""

from __future__ import annotations

import re
import secrets
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from kivuko.adaptors import RepoSettings, default_folder
from kivuko.engines import EgressPolicy
from kivuko.engines.egress import MULTI_TENANT, OPEN, SELF_HOSTED, parse_destination
from kivuko.errors import InputError
from kivuko.worker.settings import WorkerSettings
from kivuko.worker.workloops import one_workloop, read_workloops

__all__ = ["KNOWN", "RemoteWorker", "read_environment"]

T = TypeVar("T")

_PREFIX = "WORKER_"
KNOWN = (
    "LIGHTNING_SERVICE_URL",
    "SECRET",
    "NAME",
    "CAPACITY",
    "WORKLOOPS",
    "BACKOFF",
    "REPO_DIR",
    "MAX_RUN_MEMORY_MB",
    "MAX_PAYLOAD_MB",
    "MAX_RUN_DURATION_SECONDS",
    "BATCH_INTERVAL",
    "BATCH_LIMIT",
    "STATE_PROPS_TO_REMOVE",
    "PORT",
    "LOG_LEVEL",
    "EGRESS",
    "ALLOW",
    "SANDBOX_USER",
    "HOSTS",
    "GRACE_SECONDS",
)
"""The names without ``WORKER_``. From EGRESS on they are Kivuko's own."""

_WITHOUT_EFFECT = frozenset(
    {
        "BATCH_LOGS",
        "CLAIM_TIMEOUT_SECONDS",
        "COLLECTIONS_URL",
        "COLLECTIONS_VERSION",
        "LIGHTNING_PUBLIC_KEY",
        "MAX_LOG_PAYLOAD_MB",
        "MESSAGE_TIMEOUT_SECONDS",
        "PROFILE",
        "PROFILE_POLL_INTERVAL_MS",
        "RUNS_PRIVATE_KEY",
        "SENTRY_DSN",
        "SENTRY_ENV",
        "SOCKET_TIMEOUT_SECONDS",
        "TIMEOUT_RETRY_COUNT",
        "TIMEOUT_RETRY_DELAY_MS",
        "VALIDATION_RETRIES",
        "VALIDATION_TIMEOUT_MS",
    }
)
"""Settings of OpenFn's worker, or of the server, that mean nothing here: they are passed over, and said to be."""

_POLICIES: Mapping[str, EgressPolicy] = {"open": OPEN, "self-hosted": SELF_HOSTED, "multi-tenant": MULTI_TENANT}
_NO_SECRET = "<secret>"
"""What OpenFn's worker signs with when nobody gave it a secret."""


@dataclass(frozen=True)
class RemoteWorker:
    """A worker for a server elsewhere. ``worker_id`` is new for each process. ``passed_over`` are names that were set and mean nothing."""

    url: str
    secret: str
    worker_id: str
    settings: WorkerSettings
    port: int | None
    log_level: str
    grace_s: float
    passed_over: tuple[str, ...]

    def __repr__(self) -> str:
        """Without the secret: what is printed may end in a log."""
        return f"RemoteWorker(url={self.url!r}, worker_id={self.worker_id!r})"


def read_environment(environment: Mapping[str, str], given: Mapping[str, str]) -> RemoteWorker:
    """The worker that the environment asks for; ``given`` are flags, by the same names without ``WORKER_``, which go first.

    Raises InputError for a value that cannot be used, a name that nobody knows, and a missing secret.
    """
    found = {name.removeprefix(_PREFIX): text for name, text in environment.items() if name.startswith(_PREFIX) and text}
    unknown = sorted(found.keys() - set(KNOWN) - _WITHOUT_EFFECT)
    if unknown:
        raise InputError(f"There is no setting {_PREFIX}{unknown[0]}", fix=f"Known are: {', '.join(_PREFIX + name for name in KNOWN)}.")
    if "WORKLOOPS" in given or "CAPACITY" in given:
        found = {name: text for name, text in found.items() if name not in ("WORKLOOPS", "CAPACITY")}
    values = _Values({**found, **given})
    name = values.text("NAME") or environment.get("DEPLOYED_POD_NAME") or socket.gethostname()
    return RemoteWorker(
        url=values.text("LIGHTNING_SERVICE_URL") or "ws://localhost:4000/worker",
        secret=_secret(values),
        worker_id=f"{re.sub(r'[^A-Za-z0-9-]', '-', name)}-{secrets.token_hex(4)}",
        settings=_settings(values, name, environment),
        port=values.read("PORT", int),
        log_level=(values.text("LOG_LEVEL") or "info").lower(),
        grace_s=values.read("GRACE_SECONDS", float) or 60,
        passed_over=tuple(_PREFIX + each for each in sorted(found.keys() & _WITHOUT_EFFECT)),
    )


class _Values:
    """Texts by name, read into what they mean."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    def text(self, name: str) -> str | None:
        return self._texts.get(name)

    def read(self, name: str, reader: Callable[[str], T]) -> T | None:
        text = self._texts.get(name)
        if text is None:
            return None
        try:
            return reader(text)
        except ValueError as problem:
            raise InputError(f"{_PREFIX}{name} cannot be {text!r}", fix=_FIXES.get(name, "Give a number.")) from problem


_FIXES = {
    "BACKOFF": "Give the shortest and the longest pause in seconds, e.g. 1/10.",
    "EGRESS": f"Give one of: {', '.join(_POLICIES)}.",
    "ALLOW": "Give destinations as host:port, with blanks between them.",
    "SANDBOX_USER": "Give two numbers, e.g. 65534:65534.",
    "CAPACITY": "Give a whole number, at least 1.",
}


def _secret(values: _Values) -> str:
    secret = values.text("SECRET")
    if not secret or secret == _NO_SECRET:
        fix = "Set WORKER_SECRET to that of the server: it is in its data folder, or in its own WORKER_SECRET."
        raise InputError("This worker has no secret to sign in with", fix=fix)
    return secret


def _settings(values: _Values, name: str, environment: Mapping[str, str]) -> WorkerSettings:
    if values.text("CAPACITY") and values.text("WORKLOOPS"):
        raise InputError("WORKER_CAPACITY and WORKER_WORKLOOPS cannot both be set", fix="Say in the workloops how many slots they have.")
    loops = values.text("WORKLOOPS")
    standard = WorkerSettings(name=name, repo_dir=Path(values.text("REPO_DIR") or default_folder(dict(environment))))
    batch_ms, batch_lines = values.read("BATCH_INTERVAL", _positive), values.read("BATCH_LIMIT", _positive)
    return replace(
        standard,
        workloops=read_workloops(loops) if loops else one_workloop(values.read("CAPACITY", _positive) or 5),
        repo=RepoSettings.from_environment(environment),
        most_hosts=values.read("HOSTS", _positive),
        egress=_egress(values),
        sandbox_user=values.read("SANDBOX_USER", _user),
        memory_mb=values.read("MAX_RUN_MEMORY_MB", _positive) or standard.memory_mb,
        payload_mb=values.read("MAX_PAYLOAD_MB", float) or standard.payload_mb,
        timeout_s=values.read("MAX_RUN_DURATION_SECONDS", float) or standard.timeout_s,
        removed_keys=values.read("STATE_PROPS_TO_REMOVE", _names) or standard.removed_keys,
        batch_lines=batch_lines or standard.batch_lines,
        batch_ms=batch_ms or standard.batch_ms,
        poll_s=values.read("BACKOFF", _pause) or standard.poll_s,
    )


def _egress(values: _Values) -> EgressPolicy:
    policy = values.read("EGRESS", _policy) or SELF_HOSTED
    allowed = values.read("ALLOW", _destinations) or ()
    return EgressPolicy(policy.blocked, allowed, policy.unix_sockets)


def _policy(text: str) -> EgressPolicy:
    if text not in _POLICIES:
        raise ValueError(text)
    return _POLICIES[text]


def _destinations(text: str) -> tuple[str, ...]:
    found = tuple(text.replace(",", " ").split())
    for each in found:
        parse_destination(each)
    return found


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise ValueError(text)
    return number


def _user(text: str) -> tuple[int, int]:
    user, _, group = text.partition(":")
    return int(user), int(group)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _pause(text: str) -> tuple[float, float]:
    shortest, _, longest = text.partition("/")
    found = float(shortest), float(longest)
    if not 0 < found[0] <= found[1]:
        raise ValueError(text)
    return found
