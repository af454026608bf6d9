"""From words to a command that runs, and from what it raises to texts and exit codes."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from kivuko import __version__
from kivuko.cli.arguments import Arguments, parse
from kivuko.cli.call import Call
from kivuko.cli.commands import COMMANDS, Command, Entry, find, load
from kivuko.cli.environment import with_dotenv
from kivuko.cli.failure import print_abort, print_refusal
from kivuko.cli.json_failure import failure_document, print_document
from kivuko.cli.shared import SHARED_OPTIONS
from kivuko.errors import KivukoError, OptionInvalid, UsageError

__all__ = ["dispatch"]

_GROUPS = {entry.words[0] for entry in COMMANDS if len(entry.words) > 1} - {"repo"}


def dispatch(words: Sequence[str], program: str) -> int:
    """Run the command that ``words`` call, under the name ``program``, in the working folder and environment of this process."""
    try:
        if not words:
            raise UsageError("Not enough non-option arguments: got 0, need at least 1")
        return _dispatch(tuple(words), program)
    except UsageError as problem:
        text = f"{help_texts().general_help(program)}\n\n{problem.message}" if not words else f"{problem.message}\n{problem.fix}"
        print(text.replace("{program}", program), file=sys.stderr)
        if "--json" in words:
            print_document(failure_document(UsageError(problem.message, fix=problem.fix.replace("{program}", program)), 1, None))
        return 1


def _dispatch(words: tuple[str, ...], program: str) -> int:
    entry, rest = _choose(words)
    command = load(entry)
    arguments = parse(rest, (*command.options, *SHARED_OPTIONS))
    if entry is COMMANDS[0] and words[0] not in entry.words and arguments.words:
        named = find(arguments.words)
        if named is not None:  # flags before the command's name
            at = words.index(named.words[0])
            return _dispatch((*named.words, *words[:at], *words[at + len(named.words) :]), program)
    if arguments.flag("version"):
        print(__version__)
        return 0
    if arguments.flag("help") or entry.words == ("help",):
        return _help(entry, arguments, program)
    return _run(entry, command, arguments, program)


def _choose(words: tuple[str, ...]) -> tuple[Entry, tuple[str, ...]]:
    entry = find(words)
    if entry is not None:
        return entry, words[len(entry.words) :]
    if words[0] in _GROUPS:
        if "--help" in words or "-h" in words:
            return COMMANDS[-1], (words[0],)
        forms = [" ".join(known.words) for known in COMMANDS if known.words[0] == words[0]]
        raise UsageError(f"{words[0]} needs one of: {', '.join(forms)}", fix=f"Read {{program}} {forms[0]} --help.")
    return COMMANDS[0], words


def _help(entry: Entry, arguments: Arguments, program: str) -> int:
    texts = help_texts()
    asked = find(arguments.words) if entry.words == ("help",) else entry
    if asked is None and arguments.words and arguments.words[0] in _GROUPS:
        group = [known for known in COMMANDS if known.words[0] == arguments.words[0]]
        print("\n\n".join(texts.command_help(program, known, load(known)) for known in group))
    elif asked is None or asked.words == ("help",) or (asked is COMMANDS[0] and sys.argv[1:2] != ["execute"]):
        print(texts.general_help(program))
    else:
        print(texts.command_help(program, asked, load(asked)))
    return 0


def _count(entry: Entry, command: Command, arguments: Arguments) -> None:
    given = len(arguments.words)
    if given < command.needs:
        raise UsageError(
            f"Not enough non-option arguments: got {given}, need at least {command.needs}", fix=f"The form is: {{program}} {entry.usage}"
        )
    if command.takes is not None and given > command.takes:
        surplus = arguments.words[command.takes]
        raise UsageError(f"Unknown argument: {surplus}", fix=f"The form is: {{program}} {entry.usage}")


def _run(entry: Entry, command: Command, arguments: Arguments, program: str) -> int:
    _count(entry, command, arguments)
    folder = Path.cwd()
    try:
        environment, dotenv = with_dotenv(folder, os.environ)
    except (OSError, UnicodeDecodeError) as problem:
        raise UsageError(f".env cannot be read: {problem}", fix="Correct it, or set IGNORE_DOT_ENV=1.") from problem
    call = None
    try:
        call = Call.prepare(program, command, arguments, environment, dotenv, folder)
        return command.run(call)
    except OptionInvalid as problem:
        print_refusal(problem, command.name, call, sys.stderr if arguments.flag("json") else sys.stdout)
        return _failed(problem, 9, command, arguments)
    except KivukoError as problem:
        print_abort(problem, call)
        return _failed(problem, 1, command, arguments)


def _failed(problem: KivukoError, exit_code: int, command: Command, arguments: Arguments) -> int:
    if arguments.flag("json"):
        print_document(failure_document(problem, exit_code, command))
    return exit_code


def help_texts() -> ModuleType:
    """The module of help texts, imported when one is shown."""
    return importlib.import_module("kivuko.cli.help")
