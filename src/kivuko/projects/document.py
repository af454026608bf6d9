"""A document: JSON or YAML text, read into plain values."""

from __future__ import annotations

import json

from kivuko.errors import InputError, InvalidJson

__all__ = ["parse_json", "parse_yaml"]


def parse_json(text: str, reason: str, where: str) -> object:
    """The value of a JSON text. Raises InvalidJson, whose message is ``reason`` and whose details name ``where`` and the place."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise InvalidJson(reason, details=f"{where}: {problem}") from problem


def parse_yaml(text: str, reason: str, where: str) -> object:
    """The value of a YAML text. Raises InputError, whose message is ``reason`` and whose details name ``where`` and the place."""
    import ruamel.yaml  # 40 ms of start-up, and most runs read no YAML

    try:
        return ruamel.yaml.YAML(typ="safe", pure=True).load(text)
    except (ruamel.yaml.error.YAMLError, RecursionError) as problem:
        raise InputError(reason, details=f"{where}: {problem}", fix="Correct the YAML at that place.") from problem
