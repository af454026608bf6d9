"""The credential map of ``--credentials``: values by the ids that steps name (cli.md §5.3)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kivuko.cli.log import Log
from kivuko.errors import InputError, OptionInvalid
from kivuko.projects import parse_json, parse_yaml
from kivuko.value import replace
from kivuko.workflow import ExecutionPlan, Job

__all__ = ["apply_credentials", "read_credential_map"]

_ENV = "env:"


def read_credential_map(path: str, folder: Path, environment: Mapping[str, str]) -> dict[str, object]:
    """The map in the file ``path`` (relative to ``folder``): JSON by its extension, else YAML. An empty file is an empty map.

    A text value ``env:NAME`` is replaced by that variable of ``environment``. Raises OptionInvalid when the file is missing, InvalidJson
    when it cannot be parsed, InputError when it is no map or a variable is not set.
    """
    file = folder / Path(path).expanduser()
    try:
        text = file.read_text("utf-8")
    except (FileNotFoundError, IsADirectoryError) as problem:
        raise OptionInvalid("credentials", f"Credential map not found at {file}", fix="Check the path of --credentials.") from problem
    except (OSError, UnicodeDecodeError) as problem:
        raise InputError(
            f"Credential map cannot be read: {file}", details=str(problem), fix="Check its permissions and encoding."
        ) from problem
    if not text.strip():
        return {}
    parse, kind = (parse_json, "JSON") if file.suffix == ".json" else (parse_yaml, "YAML")
    found = parse(text, f"credential file contains invalid {kind}", str(file))
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise InputError(f"{file} is no credential map", fix='Write an object of objects: {"my-credential": {"user": "…"}}.')
    return {str(name): _resolved(held, str(name), environment) for name, held in found.items()}


def apply_credentials(plan: ExecutionPlan, credentials: Mapping[str, object], log: Log) -> ExecutionPlan:
    """The plan with values in place of the ids of credentials. Ids without values are told, and their jobs run without configuration.

    Raises InputError when the value of an id is no object.
    """
    named = dict.fromkeys(job.configuration for job in plan.workflow.jobs if isinstance(job.configuration, str))
    if not named:
        return plan
    missing = [name for name in named if name not in credentials]
    if missing:
        log.warn("WARNING: credential IDs were found in the workflow, but values have not been provided:")
        log.warn("  " + ", ".join(missing))
        log.warn("Provide them with --credentials FILE, a map from these ids to values")
    values = {name: _values(name, credentials[name]) for name in named if name in credentials}
    nodes = tuple(
        replace(node, configuration=values.get(node.configuration))
        if isinstance(node, Job) and isinstance(node.configuration, str)
        else node
        for node in plan.workflow.nodes
    )
    return replace(plan, workflow=replace(plan.workflow, nodes=nodes))


def _values(name: str, held: object) -> Mapping[str, object]:
    if isinstance(held, dict):
        return held
    raise InputError(f"The credential {name} is no object", fix=f'Write an object of its values: {{"{name}": {{"user": "…"}}}}.')


def _resolved(value: object, where: str, environment: Mapping[str, str]) -> object:
    if isinstance(value, dict):
        return {key: _resolved(item, f"{where}.{key}", environment) for key, item in value.items()}
    if isinstance(value, list):
        return [_resolved(item, f"{where}[{index}]", environment) for index, item in enumerate(value)]
    if not isinstance(value, str) or not value.startswith(_ENV):
        return value
    name = value.removeprefix(_ENV)
    if name not in environment:
        raise InputError(
            f"The credential map names a variable that is not set: {name}",
            details=f"It stands at {where}.",
            fix=f"Set {name} in the environment or in .env.",
        )
    return environment[name]
