"""Credentials of project files of generation v2: from the environment, from files beside the project, or written in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from kivuko.errors import FileMissing, InputError
from kivuko.projects.document import parse_json

__all__ = ["credential_variable", "read_credentials"]

_PLACEHOLDER = re.compile(r"\*+")


def credential_variable(name: str) -> str:
    """The variable that holds a credential as JSON: ``KIVUKO_CREDENTIAL_MY_DHIS2`` for my-dhis2."""
    return "KIVUKO_CREDENTIAL_" + re.sub(r"[^A-Z0-9]", "_", name.upper())


def read_credentials(
    wanted: Mapping[str, str], written: Mapping[str, object], folder: Path, environment: Mapping[str, str]
) -> dict[str, Mapping[str, object]]:
    """The bodies of the credentials that jobs name (name → a job that does). Raises InputError, FileMissing; no message holds a value."""
    found: dict[str, Mapping[str, object]] = {}
    missing = []
    for name, job in wanted.items():
        body = _body(name, written.get(name), folder, environment)
        if body is None:
            missing.append(f"{name} (for job {job}: {credential_variable(name)})")
        else:
            found[name] = body
    if missing:
        raise InputError(
            f"credentials are missing: {', '.join(missing)}",
            fix="Set the variables to JSON objects (.env is read too), or name files in the project: file://my.json.",
        )
    return found


def _body(name: str, written: object, folder: Path, environment: Mapping[str, str]) -> Mapping[str, object] | None:
    """The body of one credential; None when nobody gives it."""
    variable = credential_variable(name)
    if environment.get(variable):
        return _object(environment[variable], f"the variable {variable}")
    if isinstance(written, str) and written.strip().startswith("file://"):
        file = folder / written.strip().removeprefix("file://")
        try:
            return _object(file.read_text("utf-8-sig"), str(file))
        except (OSError, UnicodeDecodeError) as problem:
            raise FileMissing(f"credential {name} cannot be read: {file}") from problem
    if isinstance(written, Mapping) and not any(_is_placeholder(value) for value in written.values()):
        return {str(key): value for key, value in written.items()}
    return None


def _is_placeholder(value: object) -> bool:
    """Exports write ``******`` where a secret was."""
    return isinstance(value, str) and bool(_PLACEHOLDER.fullmatch(value))


def _object(text: str, where: str) -> Mapping[str, object]:
    document = parse_json(text, "Invalid JSON in credential", where)
    if not isinstance(document, dict):
        raise InputError(f"{where} holds no JSON object", fix='Write it as in {"username": "…", "password": "…"}.')
    return document
