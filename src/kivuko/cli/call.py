"""One call of a command: its arguments, environment and folder, and where its texts go."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from kivuko.cli.arguments import Arguments
from kivuko.cli.commands import Command
from kivuko.cli.log import Log
from kivuko.cli.log_option import Threshold, parse_log_option
from kivuko.value import value

__all__ = ["Call"]


@value
class Call:
    """What a command gets. ``program`` is the name it was called by, ``dotenv`` how many variables came from ``.env`` (None: no file)."""

    program: str
    command: Command
    arguments: Arguments
    environment: Mapping[str, str]
    dotenv: int | None
    folder: Path
    log: Log

    @classmethod
    def prepare(
        cls,
        program: str,
        command: Command,
        arguments: Arguments,
        environment: Mapping[str, str],
        dotenv: Mapping[str, str] | None,
        folder: Path,
    ) -> Call:
        """Open the log that the arguments ask for and say what came from ``.env``. Raises OptionInvalid."""
        default: Threshold = "info" if command.log_level == "info" else "default"
        old_form = arguments.has("expression")  # there -l is the adaptor
        levels = parse_log_option(None if old_form else arguments.text("log"), default)
        stream = sys.stderr if arguments.flag("json") else sys.stdout
        colour = stream.isatty() and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"
        log = Log(levels, as_json=arguments.flag("log-json"), stream=stream, colour=colour)
        call = cls(program, command, arguments, environment, None if dotenv is None else len(dotenv), folder, log)
        if not command.versions:
            call.report_dotenv()
        return call

    def report_dotenv(self) -> None:
        """Say how many variables ``.env`` gave."""
        if self.dotenv:
            self.log.always(f"Imported {self.dotenv} env vars from .env file")

    @property
    def wants_json(self) -> bool:
        """Whether ``--json`` asks for one document on standard output."""
        return self.arguments.flag("json")

    def result(self, document: object) -> None:
        """Print the one JSON document of ``--json``; nothing without it."""
        if self.wants_json:
            print(json.dumps(document, ensure_ascii=False, indent=2), flush=True)

    def setting(self, option: str, variable: str) -> str | None:
        """The value of a text option, else of a variable that is set and not empty."""
        return self.arguments.text(option) or self.environment.get(variable) or None
