"""How long an Attempt may run and how much it may use: one answer for server and worker (worker-protocol §14)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import orjson

__all__ = ["Limits", "limits_of"]


@dataclass(frozen=True)
class Limits:
    """Limits of one Attempt. ``grace_s`` is how much longer than that time a token lives: adaptors are installed meanwhile."""

    attempt_timeout_ms: int = 300_000
    attempt_memory_mb: int = 512
    payload_limit_mb: int = 10
    log_payload_limit_mb: int = 1
    job_log_level: str = "debug"
    output_dataclips: bool = True
    grace_s: int = 600

    @property
    def token_lives_s(self) -> int:
        """How long a run token lives, in seconds."""
        return self.attempt_timeout_ms // 1000 + self.grace_s

    def as_options(self) -> dict[str, object]:
        """The ``options`` of a plan (worker-protocol §9)."""
        return {
            "run_timeout_ms": self.attempt_timeout_ms,
            "run_memory_limit_mb": self.attempt_memory_mb,
            "payload_limit_mb": self.payload_limit_mb,
            "log_payload_limit_mb": self.log_payload_limit_mb,
            "job_log_level": self.job_log_level,
            "output_dataclips": self.output_dataclips,
            "sanitize": "none",
        }


_FIELDS = {
    "run_timeout_ms": "attempt_timeout_ms",
    "run_memory_limit_mb": "attempt_memory_mb",
    "payload_limit_mb": "payload_limit_mb",
    "log_payload_limit_mb": "log_payload_limit_mb",
    "job_log_level": "job_log_level",
}
"""Options by OpenFn's words, whose runs are Attempts, and what is changed by them."""


def limits_of(instance: Limits, options: bytes | None, *, job_logs: bool, output_dataclips: bool) -> Limits:
    """The limits of one Attempt: the instance's, changed by what its start asked for (``options``, JSON of a plan's keys)."""
    asked = orjson.loads(options) if options else {}
    changed = {_FIELDS[key]: value for key, value in asked.items() if key in _FIELDS and value is not None}
    if not job_logs:
        changed["job_log_level"] = "none"
    return replace(instance, **changed, output_dataclips=output_dataclips and bool(asked.get("output_dataclips", True)))
