"""Which host an Attempt asks for: the key that Runs of one credential share (engine.md §8.1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kivuko.engines.run import HostKey, Limits, ModuleFiles
from kivuko.runtime.settings import DEFAULT_TIMEOUT_MS, AttemptSettings

__all__ = ["credential_text", "host_key", "run_limits", "step_timeout_ms"]


def credential_text(settings: AttemptSettings, configuration: bytes | None) -> str:
    """The part of a host's key that stands for a credential: nothing when all share a host, else a digest of the configuration (JSON).

    A changed credential gives another text, and so a fresh host.
    """
    if settings.one_host or configuration is None:
        return ""
    from hashlib import sha256  # loads OpenSSL, 5 ms that the command line never needs

    return sha256(configuration).hexdigest()


def host_key(settings: AttemptSettings, credential: str, modules: Iterable[ModuleFiles]) -> HostKey:
    """The key of a host that has loaded ``modules``, whatever their order."""
    distinct: Mapping[str, ModuleFiles] = {module.key: module for module in modules}
    return HostKey(settings.project, credential, tuple(distinct[key] for key in sorted(distinct)))


def step_timeout_ms(settings: AttemptSettings, planned_ms: int | None, job_id: str | None = None) -> int | None:
    """How long one Run may take: what its job says, else the settings, else the plan, else five minutes. None: for ever (a 0 was given)."""
    own = settings.jobs.get(job_id) if job_id else None
    limits = (own.timeout_ms if own else None, settings.timeout_ms, planned_ms)
    return next((limit for limit in limits if limit is not None), DEFAULT_TIMEOUT_MS) or None


def run_limits(settings: AttemptSettings, timeout_ms: int | None, job_id: str | None = None) -> Limits:
    """The bounds of one Run. Messages are cut by the runtime, after secrets have been taken out, so hosts do not."""
    own = settings.jobs.get(job_id) if job_id else None
    memory_mb = (own.memory_mb if own else None) or settings.memory_mb
    return Limits(timeout_ms, memory_mb, settings.state_mb, settings.log_bytes)
