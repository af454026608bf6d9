"""What a text names: an adaptor's npm name, a version, a folder (cli.md §4.1, §4.2)."""

from __future__ import annotations

import re

from kivuko.errors import InvalidSpecifier
from kivuko.value import value

__all__ = ["MOVING_TAGS", "Specifier", "parse_specifier", "short_name"]

MOVING_TAGS = ("latest", "next", "none")
"""Words in the place of a version whose meaning changes with time; ``none`` means the same as ``latest`` (jobs-and-runtime §2.10)."""

_PREFIX = "@openfn/language-"
_NAME = re.compile(r"(?:@[a-z0-9~-][a-z0-9._~-]*/)?[a-z0-9~-][a-z0-9._~-]*", re.IGNORECASE)
_VERSION = re.compile(r"[\w.^~<>=*|+-][\w.^~<>=*| +-]*")
_EQUALS = re.compile(r"(?<![<>@| ~^])=")  # the = before a path, not that of a range like >=2
_PATH_START = re.compile(r"\.{1,2}(?:[/\\]|$)|[/\\]|~[/\\]|[A-Za-z]:[/\\]")


@value
class Specifier:
    """An adaptor as someone named it.

    ``name`` is the npm name, empty when only a path was given (its package.json then tells the name). ``version`` is an exact version, a
    tag, a range, or None. ``path`` is a folder as it was written, or None.
    """

    name: str
    version: str | None = None
    path: str | None = None

    def __str__(self) -> str:
        version = f"@{self.version}" if self.version else ""
        path = f"={self.path}" if self.path and self.name else self.path or ""
        return f"{self.name}{version}{path}"


def parse_specifier(text: str, *, expand: bool = True) -> Specifier:
    """Reads ``http``, ``http@7.2.10``, ``@openfn/language-http@latest``, ``name=path`` or a path that begins with ``.``, ``/`` or ``~``.

    With ``expand``, a name without ``/`` that does not end in ``.js`` becomes ``@openfn/language-<name>``. Raises InvalidSpecifier.
    """
    cleaned = text.strip()
    if _PATH_START.match(cleaned):
        return Specifier("", None, cleaned)
    head, *after = _EQUALS.split(cleaned, maxsplit=1)
    path = "".join(after)
    if after and not path:
        raise InvalidSpecifier(f"There is no path after the = in {text!r}.", fix="Write name=path, the path being the adaptor's folder.")
    name, version = _split_version(head)
    if expand and name and "/" not in name and not name.endswith(".js"):
        name = _PREFIX + name
    _check(text, name, version)
    return Specifier(name, version, path or None)


def short_name(name: str) -> str:
    """``http`` for ``@openfn/language-http``; other names as they are."""
    return name.removeprefix(_PREFIX)


def _split_version(head: str) -> tuple[str, str | None]:
    at = head.find("@", 1)
    if at < 0:
        return head, None
    return head[:at], head[at + 1 :] or None


def _check(text: str, name: str, version: str | None) -> None:
    if not _NAME.fullmatch(name) or len(name) > 214:
        raise InvalidSpecifier(f"{text!r} does not name an adaptor: {name!r} cannot be an npm name.")
    if version is not None and not _VERSION.fullmatch(version):
        raise InvalidSpecifier(f"{text!r} does not name an adaptor: {version!r} cannot be a version.")
