"""Settings of a repo."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

from kivuko.errors import InputError
from kivuko.value import fresh, value

__all__ = ["OVERRIDES_VARIABLE", "RepoSettings"]

OVERRIDES_VARIABLE = "KIVUKO_NPM_OVERRIDES"
"""Environment variable with npm's ``overrides`` as JSON, e.g. ``{"@openfn/language-common": "3.3.4"}``."""

DAY_S = 24 * 60 * 60.0


@value
class RepoSettings:
    """How a repo gets its packages.

    ``overrides`` are npm's ``overrides`` (package name → version to take instead of what is asked for). They are used only when an install
    fails without them: packages that can be installed as their authors published them are. ``answer_lifetime_s`` is how long, in seconds,
    the registry's answer about ``latest`` and the like is used again; 0 asks every time.
    """

    overrides: Mapping[str, object] = fresh(factory=dict)
    answer_lifetime_s: float = DAY_S

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> RepoSettings:
        """Reads ``KIVUKO_NPM_OVERRIDES``. Raises InputError when it is no JSON object."""
        text = environment.get(OVERRIDES_VARIABLE, "")
        if not text.strip():
            return cls()
        try:
            overrides = json.loads(text)
        except ValueError as error:
            raise InputError(f"{OVERRIDES_VARIABLE} is no JSON: {error}.", fix=_EXAMPLE) from error
        if not isinstance(overrides, dict):
            raise InputError(f"{OVERRIDES_VARIABLE} must be a JSON object, not {text}.", fix=_EXAMPLE)
        return cls(overrides)


_EXAMPLE = f"""Write npm's overrides as JSON, e.g. {OVERRIDES_VARIABLE}='{{"@openfn/language-common": "3.3.4"}}'."""
