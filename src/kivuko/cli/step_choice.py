"""Which step ``--start``, ``--end`` and ``--only`` mean: an exact id, else the one whose id or name contains the text (cli.md §3.1)."""

from __future__ import annotations

from collections.abc import Iterable

from kivuko.cli.arguments import near_names
from kivuko.errors import UnknownStart

__all__ = ["choose_step"]


def choose_step(pattern: str, kind: str, steps: Iterable[tuple[str, str | None]]) -> str:
    """The id of the step that ``pattern`` means. ``kind`` is the option's word, ``steps`` are pairs of id and name.

    Upper and lower case differ. Raises UnknownStart when no step or more than one fits.
    """
    known = list(steps)
    if any(identifier == pattern for identifier, _ in known):
        return pattern
    fitting = [identifier for identifier, name in known if pattern in identifier or (name and pattern in name)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise UnknownStart(
            f"Error: {kind} pattern matched multiple steps",
            details=f'"{pattern}" is a part of {", ".join(fitting)}.',
            fix=f"Give --{kind} the whole id of one step.",
        )
    names = [word for step in known for word in step if word]
    raise UnknownStart(
        f"Error: {kind} step not found",
        details=f'No step has "{pattern}" in its id or name.',
        fix=f"Give --{kind} one of: {', '.join(near_names(pattern, names) or [identifier for identifier, _ in known][:10])}.",
    )
