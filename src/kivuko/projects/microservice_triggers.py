"""Triggers of project files of generation v2: one kind key each, and Kivuko's additions."""

from __future__ import annotations

import json
from collections.abc import Mapping

from kivuko.errors import InputError
from kivuko.projects.microservice import MicroserviceTrigger

__all__ = ["read_trigger"]

_KINDS = ("criteria", "cron", "every", "success", "failure")
_BESIDE = {"type", "enabled", "exclude", "anchor", "timezone"}
_FIX = f"Give it one of {', '.join(f'{kind}:' for kind in _KINDS)}."


def read_trigger(name: str, written: object, notes: list[str]) -> MicroserviceTrigger:
    """The trigger. A key that means nothing is passed over with a note. Raises InputError when its kind is not clear."""
    if not isinstance(written, Mapping):
        raise InputError(f"trigger {name} is no map", fix=_FIX)
    kinds = [kind for kind in _KINDS if kind in written]
    if len(kinds) != 1:
        has = f"has {' and '.join(kinds)}" if kinds else "says neither what it waits for nor when it fires"
        raise InputError(f"trigger {name} {has}", fix=_FIX)
    notes += [f"trigger {name}: the key {key} means nothing here and is passed over" for key in written if key not in {*kinds, *_BESIDE}]
    enabled = written.get("enabled", True) is not False
    kind, given = kinds[0], written[kinds[0]]
    if kind == "criteria":
        exclusion = _filter(name, "exclude", written.get("exclude"))
        return MicroserviceTrigger(name, "message", inclusion=_filter(name, kind, given), exclusion=exclusion, enabled=enabled)
    if kind == "cron":
        return MicroserviceTrigger(name, "cron", cron=_text(name, kind, given), timezone=_timezone(name, written), enabled=enabled)
    if kind == "every":
        every = f"{given} seconds" if isinstance(given, int) and not isinstance(given, bool) else _text(name, kind, given)
        anchor = _text(name, "anchor", written.get("anchor"))
        return MicroserviceTrigger(name, "interval", every=every, anchor=anchor, timezone=_timezone(name, written), enabled=enabled)
    return MicroserviceTrigger(name, "success" if kind == "success" else "failure", source=_text(name, kind, given), enabled=enabled)


def _filter(name: str, key: str, written: object) -> object:
    """What a message must hold: values, or a text of JSON. Blank is None."""
    if not isinstance(written, str):
        return written
    if not written.strip():
        return None
    try:
        found: object = json.loads(written)
    except (ValueError, RecursionError) as problem:
        raise InputError(f"{key}: of trigger {name} is no JSON: {problem}", fix='Write it as in {"form": "a"}.') from problem
    return found


def _timezone(name: str, written: Mapping[str, object]) -> str | None:
    return _text(name, "timezone", written["timezone"]) if written.get("timezone") else None


def _text(name: str, key: str, written: object) -> str:
    # YAML reads a date-time as one, and 12:30 as a number.
    text = "" if written is None or isinstance(written, bool | Mapping | list) else str(written).strip()
    if not text:
        raise InputError(f"{key}: of trigger {name} is empty", fix="Write what belongs there.")
    return text
