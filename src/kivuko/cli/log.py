"""The log of a command on the screen: levels, components, icons, JSON lines (cli.md §2.2, jobs-and-runtime §2.12)."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from typing import Literal, TextIO

from kivuko.cli.log_option import COMPONENTS, Component, Threshold
from kivuko.icons import ICONS

__all__ = ["Level", "Log", "Source"]

Level = Literal["debug", "info", "log", "success", "always", "warn", "error", "print"]
Source = Literal["CLI", "CMP", "R/T", "JOB", "ADA"]

_PRIORITY = {"debug": 0, "info": 1, "log": 1, "print": 1, "success": 2, "always": 2, "warn": 2, "error": 100}
_LEAST: Mapping[Threshold, int] = {"debug": 0, "info": 1, "default": 2, "none": 9}
_COLOURS = {"debug": "2", "info": "34", "log": "34", "success": "32", "always": "37", "warn": "33", "error": "31"}
_SOURCES: Mapping[Source, Component] = {"CLI": "cli", "CMP": "compiler", "R/T": "runtime", "JOB": "job", "ADA": "job"}


class Log:
    """Prints lines that are important enough for their component.

    ``stream`` is standard output, or standard error with ``--json``. Printing raises BrokenPipeError when whoever reads it has gone away.
    """

    def __init__(
        self,
        levels: Mapping[Component, Threshold] | None = None,
        *,
        as_json: bool = False,
        stream: TextIO | None = None,
        colour: bool = False,
    ) -> None:
        self.levels: Mapping[Component, Threshold] = levels or dict.fromkeys(COMPONENTS, "default")
        self.as_json = as_json
        self._stream = stream or sys.stdout
        self._colour = colour

    def prints(self, level: Level, source: Source = "CLI") -> bool:
        """Whether a line of that level would be printed."""
        return _PRIORITY[level] >= _LEAST[self.levels[_SOURCES[source]]]

    def write(self, level: Level, source: Source, values: tuple[object, ...], text: str, *, time_ns: int | None = None) -> None:
        """Print one line: ``values`` are what JSON lines hold, ``text`` is the readable form."""
        if not self.prints(level, source):
            return
        if self.as_json:
            self._json(level, source, values, time.time_ns() if time_ns is None else time_ns)
        elif level == "print" or source == "ADA":
            self.raw(text)
        else:
            self.raw(f"{self._name(source)} {self._icon(level)} {text}")

    def raw(self, text: str) -> None:
        """Print text as it is, and a line break."""
        self._stream.write(text + "\n")
        self._stream.flush()

    def line_break(self) -> None:
        """An empty line, for eyes only: nothing in JSON, nothing with ``none``."""
        if not self.as_json and self.levels["cli"] != "none":
            self.raw("")

    def debug(self, text: str) -> None:
        """A line for whoever looks for a fault."""
        self.write("debug", "CLI", (text,), text)

    def info(self, text: str) -> None:
        """A line for whoever wants to know more."""
        self.write("info", "CLI", (text,), text)

    def success(self, text: str) -> None:
        """A line that says that something is done."""
        self.write("success", "CLI", (text,), text)

    def always(self, text: str) -> None:
        """A line for everyone."""
        self.write("always", "CLI", (text,), text)

    def warn(self, text: str) -> None:
        """A line about what may be wrong."""
        self.write("warn", "CLI", (text,), text)

    def error(self, text: str) -> None:
        """A line about what is wrong; printed even with ``none``."""
        self.write("error", "CLI", (text,), text)

    def _json(self, level: Level, source: Source, values: tuple[object, ...], time_ns: int) -> None:
        if all(value is None for value in values):
            return
        line: dict[str, object] = {} if level == "print" else {"level": "info" if level == "log" else level}
        line |= {"name": source, "message": list(values), "time": str(time_ns)}
        self.raw(json.dumps(line, ensure_ascii=False, separators=(",", ":"), default=str))

    def _name(self, source: Source) -> str:
        return f"\033[2m[{source}]\033[0m" if self._colour else f"[{source}]"

    def _icon(self, level: Level) -> str:
        icon = ICONS[level]
        return f"\033[{_COLOURS[level]}m{icon}\033[0m" if self._colour else icon
