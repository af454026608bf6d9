"""Reading the settings: from the environment and ``kivuko.toml``, refusing what nobody knows by the nearest name."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from kivuko.errors import SettingInvalid
from kivuko.server.settings import CREDENTIAL_PREFIX, ServerSettings, Setting, every_setting

__all__ = ["FILE_NAME", "OTHER_VARIABLES", "read_settings"]

FILE_NAME = "kivuko.toml"

OTHER_VARIABLES = frozenset({"KIVUKO_DATA", "KIVUKO_NODE", "KIVUKO_NPM_OVERRIDES", "KIVUKO_STRICT"})
"""Variables of ours that are no settings of the server: read elsewhere, and so not refused."""

_PREFIX = "KIVUKO_"
_NOT_OURS = (CREDENTIAL_PREFIX, "KIVUKO_TEST_", "KIVUKO_POSTGRESQL_")
"""Credentials of project files; what tests read to find what they need."""

_WORDS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


def read_settings(
    environment: Mapping[str, str],
    folder: Path,
    flags: Mapping[str, object] | None = None,
    usual: Mapping[str, object] | None = None,
) -> ServerSettings:
    """The settings. ``flags`` (by name; None counts as not given) win over variables, these over the file in the data folder.

    ``usual`` are defaults that go before the settings' own.

    Raises SettingInvalid for an unknown key or variable and for a value that cannot be.
    """
    known = {each.name: each for each in every_setting()}
    values: dict[str, object] = {**(usual or {}), **_from_file(folder / FILE_NAME, known), **_from_environment(environment, known.values())}
    values.update({name: value for name, value in (flags or {}).items() if value is not None})
    return _checked(ServerSettings(**values))  # type: ignore[arg-type]  # each value has the kind of its setting


def _from_file(path: Path, known: Mapping[str, Setting]) -> dict[str, object]:
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        # A data folder that is none has a message of its own, from where it is opened.
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as problem:
        raise SettingInvalid(f"{path} cannot be read: {problem}", fix="Correct it, or take it away.") from problem
    for name in document:
        if name not in known:
            raise _unknown(f"{name} in {path}", name, known)
    return {name: _read(known[name], value, f"{name} in {path}") for name, value in document.items()}


def _from_environment(environment: Mapping[str, str], settings: Iterable[Setting]) -> dict[str, object]:
    settings = tuple(settings)
    names = {variable for each in settings for variable in each.variables}
    for name in environment:
        ours = name.startswith(_PREFIX) and not name.startswith(_NOT_OURS)
        if ours and name not in names and name not in OTHER_VARIABLES:
            raise _unknown(f"the variable {name}", name, names)
    given: dict[str, object] = {}
    for each in settings:
        variable = next((name for name in each.variables if environment.get(name)), None)
        if variable:
            given[each.name] = _read(each, environment[variable], f"the variable {variable}")
    return given


def _read(setting: Setting, value: object, where: str) -> object:
    """The value in the setting's kind; of a text, what the text says. Raises SettingInvalid, which never shows the value of a secret."""
    try:
        return _READERS[setting.kind](value)
    except (KeyError, TypeError, ValueError):
        shown = "has a value that is" if setting.secret else f"is {value!r}, which is"
        raise SettingInvalid(f"{where} {shown} no {_KINDS[setting.kind]}", fix=setting.about + ".") from None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _flag(value: object) -> bool:
    return value if isinstance(value, bool) else _WORDS[_text(value).strip().lower()]


def _whole(value: object) -> int:
    if isinstance(value, bool | float):
        raise TypeError
    return value if isinstance(value, int) else int(_text(value).strip())


def _number(value: object) -> float:
    if isinstance(value, bool):
        raise TypeError
    return float(value) if isinstance(value, int | float) else float(_text(value).strip())


def _list(value: object) -> tuple[str, ...]:
    if isinstance(value, list):
        return tuple(_text(each) for each in value)
    return tuple(part.strip() for part in _text(value).split(",") if part.strip())


_READERS: Mapping[type, Callable[[object], object]] = {str: _text, bool: _flag, int: _whole, float: _number, tuple: _list}
_KINDS = {str: "text", bool: "yes or no", int: "whole number", float: "number", tuple: "list"}


def _checked(settings: ServerSettings) -> ServerSettings:
    """Raises SettingInvalid for numbers and words out of their range."""
    if not 0 <= settings.port <= 65535:
        raise SettingInvalid(f"port is {settings.port}", fix="Use a port from 0 to 65535.")
    for name in ("web_threads", "body_limit_bytes", "attempt_timeout_s", "attempt_memory_mb", "payload_limit_mb"):
        if getattr(settings, name) < 1:
            raise SettingInvalid(f"{name} is {getattr(settings, name)}", fix="Use a number above 0.")
    for name in ("worker_capacity", "drain_delay_s", "shutdown_grace_s"):
        if not getattr(settings, name) >= 0:
            raise SettingInvalid(f"{name} is {getattr(settings, name)}", fix="Use 0 or more.")
    for name, words in (("log_format", ("", "json", "console")), ("log_level", ("debug", "info", "warning", "error"))):
        if getattr(settings, name) not in words:
            raise SettingInvalid(f"{name} is {getattr(settings, name)!r}", fix=f"Use one of: {', '.join(filter(None, words))}.")
    if settings.url and not settings.url.startswith(("http://", "https://")):
        raise SettingInvalid(f"url is {settings.url!r}", fix="Begin it with http:// or https://.")
    return settings


def _unknown(what: str, name: str, names: Iterable[str]) -> SettingInvalid:
    near = difflib.get_close_matches(name, names, n=2, cutoff=0.6)
    fix = f"Did you mean {' or '.join(near)}?" if near else "docs/reference/settings.md lists every setting."
    return SettingInvalid(f"there is no such setting: {what}", fix=fix)
