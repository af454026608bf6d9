"""Exit codes, one for each error type (requirements §3.6, server-and-data §4.2)."""

from __future__ import annotations

import pytest

from kivuko.records.exitcodes import exit_code
from kivuko.records.states import ExitReason

R = ExitReason
CODES = [
    (R.SUCCESS, None, 0),
    (R.FAIL, "JobError", 1),
    (R.FAIL, "AdaptorError", 1),
    (R.FAIL, "RuntimeError", 1),
    (R.FAIL, "SomethingAnAdaptorInvented", 1),
    (R.CRASH, "RuntimeCrash", 1),
    (R.CRASH, "ReferenceError", 1),
    (R.CRASH, "CompileError", 1),
    (R.CRASH, "EdgeConditionError", 1),
    (R.CRASH, "InputError", 1),
    (R.KILL, "SecurityError", 1),
    (R.KILL, "StateTooLargeError", 1),
    (R.KILL, "TimeoutError", 2),
    (R.EXCEPTION, "CredentialLoadError", 3),
    (R.EXCEPTION, "DataClipError", 3),
    (R.EXCEPTION, "AutoinstallError", 3),
    (R.LOST, "LostAfterClaim", 3),
    (R.LOST, "LostAfterStart", 4),
    (R.CANCEL, "Cancelled", 4),
    (R.CANCEL, "NotReached", 4),
    (R.EXCEPTION, "ExecutionError", 5),
    (R.EXCEPTION, "ProtocolError", 5),
    (R.CRASH, "ImportError", 10),
    (R.CRASH, "ValidationError", 10),
    (R.CRASH, "ExitError", 11),
    (R.EXCEPTION, "UnknownReason", 11),
    (R.KILL, "OOMError", 134),
    (R.KILL, None, 4),
    (R.EXCEPTION, None, 5),
]


@pytest.mark.parametrize(("reason", "error_type", "code"), CODES)
def test_the_code_of_an_end(reason: ExitReason, error_type: str | None, code: int) -> None:
    assert exit_code(reason, error_type) == code
