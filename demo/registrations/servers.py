"""The two systems of the demo, on loopback: a form system with registrations and a little FHIR server that refuses what is flawed."""

from __future__ import annotations

import base64
import datetime
import json
from pathlib import Path
from typing import Any

from demo.loopback import System

__all__ = ["FhirServer", "FormSystem"]

_PAGE_SIZE = 20
_GENDERS = ("male", "female", "other", "unknown")


class FormSystem(System):
    """Gives the registrations of ``file``, 20 a page, to whom signs in with ``username`` and ``password``."""

    username, password = "clinic-forms", "demo-password"
    authorization = "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.registrations: list[dict[str, str]] = json.loads(file.read_text(encoding="utf-8"))

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: bytes) -> tuple[int, Any]:
        """One page of registrations."""
        if (method, path) != ("GET", "/registrations"):
            return 404, {"error": f"there is nothing at {path}"}
        page = int(query.get("page", ["1"])[0])
        items = self.registrations[(page - 1) * _PAGE_SIZE : page * _PAGE_SIZE]
        return 200, {"page": page, "pages": -(-len(self.registrations) // _PAGE_SIZE), "items": items}


class FhirServer(System):
    """Stores FHIR Patients that are complete, possible and new, and refuses others with an OperationOutcome."""

    access_token = "demo-token"
    authorization = f"Bearer {access_token}"

    def __init__(self) -> None:
        super().__init__()
        self.patients: dict[str, dict[str, Any]] = {}

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: bytes) -> tuple[int, Any]:
        """201 and the stored Patient; 409 for a card number that is taken; 422 for a Patient that cannot be right."""
        if (method, path) != ("POST", "/fhir/Patient"):
            return 404, _outcome(f"{method} {path} is not supported")
        patient = json.loads(body)
        if issues := _issues(patient):
            return 422, _outcome(*issues)
        card = patient["identifier"][0]["value"]
        if card in self.patients:
            return 409, _outcome(f"Card {card} belongs to {_name(self.patients[card])} already")
        self.patients[card] = {**patient, "id": str(len(self.patients) + 1)}
        return 201, self.patients[card]


def _outcome(*diagnostics: str) -> dict[str, Any]:
    issues = [{"severity": "error", "code": "processing", "diagnostics": text} for text in diagnostics]
    return {"resourceType": "OperationOutcome", "issue": issues}


def _issues(patient: dict[str, Any]) -> list[str]:
    """Everything that is wrong with a Patient."""
    issues = []
    if not patient["identifier"][0]["value"]:
        issues.append("The card number is missing (Patient.identifier)")
    if not patient["name"][0]["family"]:
        issues.append("The family name is missing (Patient.name.family)")
    if patient["gender"] not in _GENDERS:
        issues.append(f"'{patient['gender']}' is no gender that FHIR knows (Patient.gender)")
    return issues + _birth_issues(patient["birthDate"])


def _birth_issues(text: str) -> list[str]:
    try:
        born = datetime.date.fromisoformat(text + "-01-01"[: 10 - len(text)])
    except ValueError:
        return [f"There is no day {text} (Patient.birthDate)"]
    return [f"{text} has not come yet (Patient.birthDate)"] if born > datetime.date.today() else []


def _name(patient: dict[str, Any]) -> str:
    name = patient["name"][0]
    return " ".join([*name["given"], name["family"]])
