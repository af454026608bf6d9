"""What a failure edge hands on after a crash: the input of the Run that ended, with the error in it (engine.md §3, no. 7)."""

from __future__ import annotations

import json
from collections.abc import Mapping

__all__ = ["LARGEST_PARSED_BYTES", "with_error"]

LARGEST_PARSED_BYTES = 32 * 1024 * 1024
"""Larger states are not parsed for this; errors of earlier jobs in them are lost."""


def with_error(
    state: bytes | None, job_id: str, report: Mapping[str, object], *, removed: tuple[str, ...] = (), log: str | None = None
) -> bytes:
    """The state (JSON) with ``errors[job_id]`` set to ``report``, ``error`` to the ``log``, if given, and without the ``removed`` keys.

    A state that is no object becomes what JavaScript's spread makes of it. One that is too large or too deep for Python is left as it is
    but for its end, where a second ``errors`` overrules the first.
    """
    own = {job_id: dict(report)}
    told = {} if log is None else {"error": log}
    if state is None:
        return _written({"errors": own, **told})
    if len(state) > LARGEST_PARSED_BYTES:
        return _appended(state, {"errors": own, **told})
    try:
        parsed = _spread(json.loads(state))
        errors = parsed.get("errors")
        parsed |= {"errors": {**(errors if isinstance(errors, dict) else {}), **own}, **told}
        return _written({key: value for key, value in parsed.items() if key not in removed})
    except RecursionError:
        return _appended(state, {"errors": own, **told})
    except ValueError:
        return _written({"errors": own, **told})


def _spread(value: object) -> dict[str, object]:
    if isinstance(value, dict):
        return value
    return {str(index): item for index, item in enumerate(value)} if isinstance(value, str | list) else {}


def _appended(state: bytes, members: Mapping[str, object]) -> bytes:
    body = state.rstrip()
    if not (body.lstrip().startswith(b"{") and body.endswith(b"}")):
        return _written(members)
    inner = body[: body.rindex(b"}")].rstrip()
    comma = b"" if inner.lstrip() == b"{" else b","
    return inner + comma + _written(members)[1:]


def _written(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
