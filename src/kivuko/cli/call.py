"""One call of a command: its arguments, environment and folder, and where its texts go."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from kivuko.cli.arguments import Arguments
from kivuko.cli.commands import Command
from kivuko.cli.json_failure import failure_document, print_document
from kivuko.cli.log import Log
from kivuko.cli.log_option import Threshold, parse_log_option
from kivuko.errors import KivukoError
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
            print_document(document)

    def failed(self, problem: KivukoError, exit_code: int = 1) -> int:
        """Print the document of ``--json`` for a command that has done nothing; nothing without it. Gives the exit code."""
        self.result(failure_document(problem, exit_code, self.command))
        return exit_code

    def setting(self, option: str, variable: str) -> str | None:
        """The value of a text option, else of a variable that is set and not empty."""
        return self.arguments.text(option) or self.environment.get(variable) or None
