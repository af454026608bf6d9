"""The environment of a command: ``.env`` of the working folder over the variables of the process (cli.md §2.5)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

__all__ = ["load_dotenv", "parse_dotenv", "with_dotenv"]

_LINE = re.compile(
    r"""^[ \t]*(?:export[ \t]+)?([\w.-]+)(?:[ \t]*=[ \t]*|:[ \t]+)
    ( '(?:\\'|[^'])*' | "(?:\\"|[^"])*" | `(?:\\`|[^`])*` | [^\#\r\n]+ )?
    [ \t]*(?:\#.*)?$""",
    re.MULTILINE | re.VERBOSE,
)
_REFERENCE = re.compile(r"(\\)?\$(?:\{([A-Za-z_]\w*)(?::?-((?:[^}\\]|\\.)*))?\}|([A-Za-z_]\w*))")


def parse_dotenv(text: str, environment: Mapping[str, str]) -> dict[str, str]:
    """The variables of a ``.env`` text. ``${NAME}``, ``$NAME`` and ``${NAME:-default}`` are replaced by earlier lines and ``environment``.

    Quotes are removed; ``\\n`` means a line break in double quotes; nothing is replaced in single quotes.
    """
    found: dict[str, str] = {}
    for match in _LINE.finditer(text.replace("\r\n", "\n")):
        name, raw = match[1], (match[2] or "").strip()
        quote = raw[:1] if len(raw) > 1 and raw[0] == raw[-1] and raw[0] in "'\"`" else ""
        value = raw[1:-1] if quote else raw
        if quote == '"':
            value = value.replace("\\n", "\n").replace("\\r", "\r")
        found[name] = value if quote == "'" else _expand(value, {**environment, **found})
    return found


def load_dotenv(folder: Path, environment: Mapping[str, str]) -> dict[str, str] | None:
    """The variables of ``folder/.env``; None when there is no such file or IGNORE_DOT_ENV (or IGNORE_DOTENV) is set.

    Raises OSError when the file is there but cannot be read, and UnicodeDecodeError when it is no text.
    """
    if "IGNORE_DOT_ENV" in environment or "IGNORE_DOTENV" in environment:
        return None
    try:
        text = (folder / ".env").read_text("utf-8")
    except (FileNotFoundError, IsADirectoryError):
        return None
    return parse_dotenv(text, environment)


def with_dotenv(folder: Path, environment: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str] | None]:
    """``environment`` with the values of ``.env`` over it, and those values alone."""
    found = load_dotenv(folder, environment)
    return {**environment, **(found or {})}, found


def _expand(value: str, known: Mapping[str, str]) -> str:
    def replaced(match: re.Match[str]) -> str:
        if match[1]:
            return match[0][1:]
        held = known.get(match[2] or match[4], "")
        return held or (match[3] or "")

    return _REFERENCE.sub(replaced, value)
