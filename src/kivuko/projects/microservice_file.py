"""Reading a project file of generation v2, with all that is found in the wild (requirements §3.3)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from kivuko.errors import FileMissing, InputError
from kivuko.projects.document import parse_json, parse_yaml
from kivuko.projects.generation import Generation, generation_of
from kivuko.projects.microservice import MicroserviceJob, MicroserviceProject, MicroserviceTrigger
from kivuko.projects.microservice_credentials import read_credentials
from kivuko.projects.microservice_triggers import read_trigger

__all__ = ["read_microservice_project"]

_JOB_KEYS = {"expression", "adaptor", "trigger", "credential", "enabled"}
_URL_SAFE = re.compile(r"[A-Za-z0-9._~-]+")
_REMOTE = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_SWALLOWED = re.compile(r"(?<!:)//")
_USUAL_ADAPTOR = "@openfn/language-common"


def read_microservice_project(path: Path, environment: Mapping[str, str]) -> MicroserviceProject:
    """The project in a file. Credentials come from ``KIVUKO_CREDENTIAL_<NAME>`` of the environment, else from the file.

    Raises FileMissing, InputError with what is wrong and where; of another generation too.
    """
    document = _document(path)
    notes: list[str] = []
    found = generation_of(document, path.name)
    if found is not Generation.MICROSERVICE or not isinstance(document, Mapping):
        raise InputError(
            f"{path.name} is a project of generation v{found.value}, and only those of v2 can be served yet",
            fix="A v2 file has maps of jobs:, triggers: and credentials:.",
        )
    triggers = {name: read_trigger(name, written, notes) for name, written in _mapping(document, "triggers", path.name).items()}
    jobs = tuple(_job(name, written, triggers, path, notes) for name, written in _mapping(document, "jobs", path.name).items())
    if not jobs:
        raise InputError(f"{path.name} has no jobs", fix="Write at least one below jobs:.")
    jobs = tuple(_with_source(job, {each.name for each in jobs}, notes) for job in jobs)
    notes += _about_names([*triggers, *(job.name for job in jobs)])
    wanted = {job.credential: job.name for job in reversed(jobs) if job.credential}
    credentials = read_credentials(wanted, _mapping(document, "credentials", path.name), path.parent, environment)
    return MicroserviceProject(jobs, credentials, tuple(dict.fromkeys(notes)))


def _document(path: Path) -> object:
    try:
        text = path.read_text("utf-8-sig")
    except FileNotFoundError as problem:
        raise FileMissing(f"there is no project file {path}") from problem
    except UnicodeDecodeError as problem:
        raise InputError(f"{path} is not UTF-8 text", fix="Save the file as UTF-8.") from problem
    except OSError as problem:
        raise FileMissing(f"the project file {path} cannot be read: {problem.strerror}") from problem
    parse, kind = (parse_json, "JSON") if path.suffix == ".json" else (parse_yaml, "YAML")
    return parse(text, f"Invalid {kind} in project", path.name)


def _mapping(document: Mapping[str, object], key: str, where: str) -> dict[str, object]:
    """A map of the top level; missing or empty is an empty one. Raises InputError."""
    found = document.get(key)
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise InputError(f"{key}: of {where} is no map from names", fix=f"Write each name below {key}: with its keys behind it.")
    return {str(name): written for name, written in found.items()}


def _job(name: str, written: object, triggers: Mapping[str, MicroserviceTrigger], path: Path, notes: list[str]) -> MicroserviceJob:
    if not isinstance(written, Mapping):
        raise InputError(f"job {name} of {path.name} is no map", fix="Give it expression:, adaptor:, trigger: and credential:.")
    notes += [f"job {name}: the key {key} means nothing here and is passed over" for key in written if key not in _JOB_KEYS]
    trigger = triggers.get(str(written.get("trigger")))
    if trigger is None:
        notes.append(f"job {name} has no trigger{_named(written.get('trigger'))}: it starts by hand only")
    credential = written.get("credential")
    return MicroserviceJob(
        name,
        _expression(name, written.get("expression"), path, notes),
        _adaptor(written.get("adaptor")),
        trigger or MicroserviceTrigger("manual", "manual"),
        str(credential) if credential else None,
        written.get("enabled", True) is not False,
    )


def _named(trigger: object) -> str:
    return f" named {trigger}" if trigger else ""


def _expression(job: str, written: object, path: Path, notes: list[str]) -> str:
    """The source, read from where the file says. Raises InputError, FileMissing."""
    if not isinstance(written, str) or not written.strip():
        raise InputError(f"job {job} of {path.name} has no expression", fix="Write its code, or file:// and a path.")
    text = written.strip()
    if text.startswith("file://"):
        file = path.parent / text.removeprefix("file://")
        try:
            return file.read_text("utf-8-sig")
        except (OSError, UnicodeDecodeError) as problem:
            raise FileMissing(f"the expression of job {job} cannot be read: {file}") from problem
    if _REMOTE.match(text):
        raise InputError(
            f"the expression of job {job} is at {text.split('://')[0]}://…, and nothing is fetched",
            fix="Put the code beside the project and write file:// and its path.",
        )
    if "\n" not in text and _SWALLOWED.search(text):
        notes.append(f"job {job}: its code is one line with // in it; folded YAML (>) makes a comment swallow the rest, use | instead")
    return written


def _adaptor(written: object) -> str:
    name = str(written or "").strip()
    if name.startswith("language-"):
        return f"@openfn/{name}"
    return name or _USUAL_ADAPTOR


def _with_source(job: MicroserviceJob, names: set[str], notes: list[str]) -> MicroserviceJob:
    """The job; started by hand only when it waits for one that is not there."""
    trigger = job.trigger
    if trigger.source is None or trigger.source in names:
        return job
    notes.append(f"job {job.name} waits for job {trigger.source}, which does not exist: it starts by hand only")
    by_hand = MicroserviceTrigger(trigger.name, "manual")
    return MicroserviceJob(job.name, job.expression, job.adaptor, by_hand, job.credential, job.enabled)


def _about_names(names: list[str]) -> list[str]:
    return [f"the name {name!r} is not safe in URLs" for name in names if not _URL_SAFE.fullmatch(name)]
