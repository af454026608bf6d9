"""Whether an adaptor's ``configuration-schema.json`` is one that forms can be made from (JSON Schema draft-07; adaptors.md §3.1)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

__all__ = ["schema_problems"]

_TYPES = frozenset({"string", "number", "integer", "boolean", "object", "array", "null"})
_KEYWORD_TYPES: dict[str, tuple[type, ...]] = {
    "title": (str,),
    "description": (str,),
    "format": (str,),
    "placeholder": (str,),
    "writeOnly": (bool,),
    "examples": (list,),
    "enum": (list,),
    "anyOf": (list,),
    "minLength": (int,),
}
_WORDS: dict[type, str] = {str: "a text", bool: "true or false", list: "a list", int: "a number", dict: "an object"}


def schema_problems(file: Path) -> list[str]:
    """What is wrong, one sentence each with its place; empty when all is well. Raises OSError when the file cannot be read."""
    try:
        schema = json.loads(file.read_text("utf-8"))
    except ValueError as problem:
        return [f"it is no JSON: {problem}"]
    return list(_schema(schema))


def _schema(schema: object) -> Iterator[str]:
    if not isinstance(schema, dict):
        yield "it must be an object"
        return
    if "draft-07" not in str(schema.get("$schema", "")):
        yield '"$schema" must be "http://json-schema.org/draft-07/schema#"'
    if schema.get("type") != "object":
        yield '"type" must be "object"'
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        yield '"properties" must be an object'
        return
    for name, entry in properties.items():
        yield from (f"properties.{name}: {problem}" for problem in _property(entry))
    required = schema.get("required", [])
    if not isinstance(required, list) or not all(isinstance(name, str) for name in required):
        yield '"required" must be a list of names'
    else:
        yield from (f'"required" names {name}, which is no property' for name in required if name not in properties)


def _property(entry: object) -> Iterator[str]:
    if not isinstance(entry, dict):
        yield "it must be an object"
        return
    types = entry.get("type", [])
    for name in types if isinstance(types, list) else [types]:
        if name not in _TYPES:
            yield f'"type" {json.dumps(name)} is none of {", ".join(sorted(_TYPES))}'
    for keyword, kinds in _KEYWORD_TYPES.items():
        if keyword in entry and not isinstance(entry[keyword], kinds):
            yield f'"{keyword}" must be {_WORDS[kinds[0]]}'
    if "title" not in entry:
        yield 'it has no "title", which the form shows'
