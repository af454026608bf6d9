"""What to do about a name that a job uses and nobody declares."""

from __future__ import annotations

import re
from collections.abc import Iterable

from kivuko.engines.run import RunError
from kivuko.runtime.out_of_reach import advice_on_name
from kivuko.value import replace

__all__ = ["with_advice"]

_UNDECLARED = re.compile(r"ReferenceError: ([\w$]+) is not defined")
_DYNAMIC_IMPORT = "A dynamic import callback was not specified."
"""V8's words."""


def with_advice(error: RunError, exports: Iterable[str]) -> RunError:
    """The error with a fix when it is about an undeclared name; ``exports`` are the names that the step's adaptors have."""
    if error.message.endswith(_DYNAMIC_IMPORT) and not error.fix:
        return replace(error, fix=advice_on_name("import()"))
    found = _UNDECLARED.fullmatch(error.message)
    if found is None or error.fix:
        return error
    if elsewhere := advice_on_name(found[1]):
        return replace(error, fix=elsewhere)
    import difflib  # only on the way to an error message: it costs milliseconds of start-up

    name, known = found[1], list(exports)
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.55)
    if near:
        return replace(error, fix=f"Did you mean {' or '.join(near)}?")
    owner = "The step's adaptors do not export it" if known else "The step has no adaptor"
    return replace(error, fix=f"{owner}, and the job does not declare it: name an adaptor that has {name}, or declare it.")
