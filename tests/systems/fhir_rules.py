"""What a FHIR R4 server accepts: the rules of five resource types, written down as tables (HL7 FHIR R4, resource definitions)."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from typing import Any

__all__ = ["TYPES", "issues_of", "outcome"]

TYPES = ("Patient", "Encounter", "Observation", "Immunization", "Claim", "Organization", "Bundle")

_REQUIRED = {
    "Encounter": ("status", "class"),
    "Observation": ("status", "code"),
    "Immunization": ("status", "vaccineCode", "patient"),
    "Claim": ("status", "type", "use", "patient", "created", "provider"),
    "Patient": ("identifier", "name"),
    "Organization": ("name",),
}
_CODES = {
    ("Patient", "gender"): ("male", "female", "other", "unknown"),
    ("Encounter", "status"): ("planned", "arrived", "triaged", "in-progress", "onleave", "finished", "cancelled"),
    ("Observation", "status"): ("registered", "preliminary", "final", "amended"),
    ("Immunization", "status"): ("completed", "entered-in-error", "not-done"),
    ("Claim", "status"): ("active", "cancelled", "draft", "entered-in-error"),
}
_DATES = {"Patient": ("birthDate",), "Observation": ("effectiveDateTime",), "Immunization": ("occurrenceDateTime",), "Claim": ("created",)}
_DATE_TEXT = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T.+)?)?)?")


def outcome(code: str, *diagnostics: str) -> dict[str, Any]:
    """An OperationOutcome with one error issue per text."""
    issues = [{"severity": "error", "code": code, "diagnostics": text} for text in diagnostics]
    return {"resourceType": "OperationOutcome", "issue": issues}


def issues_of(resource: Mapping[str, Any]) -> list[str]:
    """What is wrong with a resource, one sentence each; empty when it may be stored."""
    kind = resource["resourceType"]
    issues = [f"{kind}.{name}: minimum required = 1, but only found 0" for name in _REQUIRED.get(kind, ()) if not resource.get(name)]
    for (owner, name), allowed in _CODES.items():
        if owner == kind and name in resource and resource[name] not in allowed:
            issues.append(f"{kind}.{name}: '{resource[name]}' is not one of {', '.join(allowed)}")
    for name in _DATES.get(kind, ()):
        if name in resource and not _is_date(resource[name]):
            issues.append(f"{kind}.{name}: '{resource[name]}' is not a valid date")
    return issues + (_patient_issues(resource) if kind == "Patient" else [])


def _patient_issues(patient: Mapping[str, Any]) -> list[str]:
    issues = [f"Patient.name[{at}].family: minimum required = 1, but only found 0"
              for at, name in enumerate(patient.get("name") or ()) if not name.get("family")]  # fmt: skip
    return issues + [f"Patient.identifier[{at}]: system and value are required"
                     for at, identifier in enumerate(patient.get("identifier") or ())
                     if not (identifier.get("system") and identifier.get("value"))]  # fmt: skip


def _is_date(value: object) -> bool:
    found = _DATE_TEXT.fullmatch(value) if isinstance(value, str) else None
    if not found:
        return False
    year, month, day = found.groups()
    try:
        datetime.date(int(year), int(month or 1), int(day or 1))
    except ValueError:
        return False
    return True
