"""The value of ``-l``: which levels of which components are printed (cli.md §2.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from kivuko.errors import OptionInvalid

__all__ = ["COMPONENTS", "Component", "Threshold", "parse_log_option"]

Component = Literal["cli", "compiler", "runtime", "job"]
Threshold = Literal["debug", "info", "default", "none"]

COMPONENTS: tuple[Component, ...] = ("cli", "compiler", "runtime", "job")
_LEVELS: Mapping[str, Threshold] = {"debug": "debug", "info": "info", "default": "default", "none": "none"}
_NAMES: Mapping[str, Component] = {
    "cli": "cli",
    "compiler": "compiler",
    "cmp": "compiler",
    "runtime": "runtime",
    "rt": "runtime",
    "r/t": "runtime",
    "job": "job",
}


def parse_log_option(text: str | None, default: Threshold = "default") -> dict[Component, Threshold]:
    """The threshold of each component for ``info``, ``none``, ``cli=none,rt=info`` …

    Jobs print everything unless the option names ``job`` or is ``none``. Raises OptionInvalid for unknown words.
    """
    general, named = default, dict[Component, Threshold]()
    quiet = False
    for part in (text or "").split(","):
        name, sign, level = part.strip().lower().partition("=")
        if not name:
            continue
        if not sign or name == "default":
            general = _level(level if sign else name)
            quiet = general == "none"
        elif name in _NAMES:
            named[_NAMES[name]] = _level(level)
        else:
            raise OptionInvalid("log", "Unknown log component. Valid components are cli, compiler, runtime and job.", details=name)
    levels: dict[Component, Threshold] = dict.fromkeys(COMPONENTS, general)
    levels["job"] = "none" if quiet else "debug"
    return {**levels, **named}


def _level(word: str) -> Threshold:
    if word not in _LEVELS:
        raise OptionInvalid("log", "Unknown log level. Valid levels are none, debug, info and default.", details=word)
    return _LEVELS[word]
