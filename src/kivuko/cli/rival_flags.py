"""Flags that say different things about the same matter: which of them wins (cli.md §3.1, §3.2), or that none can."""

from __future__ import annotations

from kivuko.cli.call import Call
from kivuko.errors import UsageError

__all__ = ["refuse_rivals", "warn_of_loser", "warn_of_two_states"]


def refuse_rivals(call: Call) -> None:
    """Raise UsageError for flags of ``execute`` that cannot both be followed; warn of those that lose against another one."""
    given = call.arguments
    for other in ("start", "end"):
        if given.has("only") and given.has(other):
            raise UsageError(f"--only and --{other} cannot both be followed", fix=f"--only runs one step alone: leave --{other} out.")
    if given.flag("watch") and given.text("state-stdin") == "-":
        raise UsageError("--watch cannot read standard input again for every run", fix="Put the state into a file and give it with -s.")
    if given.text("expression") is not None and given.words:
        raise UsageError(
            f"Two jobs are named: {given.words[0]} and, with -e, {given.text('expression')}",
            fix=f"Name one: {call.program} job.js -a http.",
        )
    if given.flag("output-stdout"):
        warn_of_loser(call, "output-path", "o", winner="-O", does="prints the result instead of writing it")
    warn_of_two_states(call)


def warn_of_two_states(call: Call) -> None:
    """Say that ``-S`` wins over ``-s`` when both are there."""
    if call.arguments.has("state-stdin"):
        warn_of_loser(call, "state-path", "s", winner="-S", does="gives the state")


def warn_of_loser(call: Call, option: str, letter: str, *, winner: str, does: str) -> None:
    """Say that an option was given for nothing, if it was: ``winner`` is the flag that counts, and ``does`` what it does."""
    if call.arguments.has(option):
        call.log.warn(f"-{letter} {call.arguments.values[option]} means nothing here: {winner} {does}")
