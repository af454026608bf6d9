"""Exit codes of Runs (requirements §3.6, server-and-data §4.2)."""

from __future__ import annotations

from kivuko.records.states import ExitReason

__all__ = ["BY_ERROR_ONLY", "exit_code"]

_BY_TYPE = {
    **dict.fromkeys(
        (
            "JobError",
            "AdaptorError",
            "RuntimeError",
            "RuntimeCrash",
            "CompileError",
            "EdgeConditionError",
            "InputError",
            "SecurityError",
            "StateTooLargeError",
        ),
        1,
    ),
    "TimeoutError": 2,
    **dict.fromkeys(("CredentialLoadError", "DataClipError", "AutoinstallError", "LostAfterClaim"), 3),
    "LostAfterStart": 4,
    **dict.fromkeys(("ExecutionError", "ProtocolError"), 5),
    **dict.fromkeys(("ImportError", "ValidationError"), 10),
    **dict.fromkeys(("ExitError", "UnknownReason"), 11),
    "OOMError": 134,
}

_BY_REASON = {
    ExitReason.SUCCESS: 0,
    ExitReason.FAIL: 1,
    ExitReason.CRASH: 1,
    ExitReason.CANCEL: 4,
    ExitReason.KILL: 4,
    ExitReason.EXCEPTION: 5,
    ExitReason.LOST: 4,
}

BY_ERROR_ONLY = frozenset(_BY_TYPE.values()) - frozenset(_BY_REASON.values())
"""Codes that no end has without the name of an error."""


def exit_code(reason: ExitReason, error_type: str | None) -> int:
    """The code of an end. Types that a job's author or adaptor invented (``TypeError``, ``HttpError``) count by their reason."""
    if reason in (ExitReason.SUCCESS, ExitReason.CANCEL):
        return _BY_REASON[reason]
    return _BY_TYPE.get(error_type or "", _BY_REASON[reason])
