"""Help texts, made from the table of commands and the options that they declare."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from kivuko.cli.arguments import Option
from kivuko.cli.commands import COMMANDS, Command, Entry, load
from kivuko.cli.shared import SHARED_OPTIONS

__all__ = ["COMMAND", "command_help", "general_help", "option_lines"]

_WIDTH = 100


def general_help(program: str) -> str:
    """What the bare command is for, its commands, and the options of the default command."""
    rows = [(f"{program} {entry.usage}", entry.summary) for entry in COMMANDS if not entry.hidden]
    options = load(COMMANDS[0]).options
    return "\n".join(
        [
            f"{program} <job.js | workflow.json | workflow.yaml> [options]",
            f"{program} <command> [options]",
            "",
            "Commands:",
            *_table(rows),
            "",
            f"Options of {program} <path>:",
            *option_lines((*options, *SHARED_OPTIONS)),
            "",
            "Examples:",
            f"  {program} job.js -a http -s state.json -o output.json",
            f"  {program} workflow.json --start transform --log info",
        ]
    )


def command_help(program: str, entry: Entry, command: Command) -> str:
    """What a command does, its form, its options and examples."""
    parts = [f"{program} {entry.usage}", "", *textwrap.wrap(command.about or entry.summary + ".", _WIDTH), "", "Options:"]
    parts += option_lines((*command.options, *SHARED_OPTIONS))
    if command.examples:
        parts += ["", "Examples:", *(f"  {program} {example}" for example in command.examples)]
    return "\n".join(parts)


def option_lines(options: Iterable[Option]) -> list[str]:
    """The lines of a list of options; hidden ones are left out."""
    return _table([(_names(option), option.help) for option in options if not option.hidden])


def _names(option: Option) -> str:
    short = [f"-{name}" for name in option.names if len(name) == 1]
    long = [f"--{name}" for name in option.names if len(name) > 1]
    value = {"flag": "", "text": " <text>", "number": " <number>", "list": " <names…>", "optional": "[=<text>]"}[option.kind]
    return ", ".join(short + long) + value


def _table(rows: Sequence[tuple[str, str]]) -> list[str]:
    wide = min(max((len(left) for left, _ in rows), default=0), 42)
    lines = []
    for left, right in rows:
        wrapped = textwrap.wrap(right, _WIDTH - wide - 4) or [""]
        if len(left) > wide:
            lines.append(f"  {left}")
            left = ""
        lines.append(f"  {left:<{wide}}  {wrapped[0]}")
        lines += [" " * (wide + 4) + more for more in wrapped[1:]]
    return lines


def _run(call: object) -> int:
    raise AssertionError("help is answered before a command runs")


COMMAND = Command(name="help", run=_run, options=(), takes=None)
