"""OpenMRS: its REST web services (representations, paging by links, errors in its own shape) and its FHIR2 module for patients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from .fhir_search import bundle_of
from .loopback import Loopback, Reply, Request, basic_credentials

__all__ = ["LOCATION", "PASSWORD", "USER", "OpenMrs", "uuid_of"]

USER, PASSWORD = "admin", "Admin123"
LOCATION = "8d6c993e-c2cc-11de-8d13-0010c6dffd0f"

_SEED = (
    ("100GEJ", "Amina", "Otieno", "F", "1988-03-12"),
    ("100HKR", "Joseph", "Mwangi", "M", "1975-11-02"),
    ("100JLT", "Fatuma", "Ali", "F", "2019-07-23"),
    ("100KMV", "Peter", "Kamau", "M", "1990-01-30"),
    ("100LNW", "Grace", "Otieno", "F", "2001-09-15"),
)
_CONCEPTS = {"weight": "Weight (kg)", "temp": "Temperature (C)", "muac": "MUAC (mm)"}

Row = dict[str, Any]


def uuid_of(kind: str, number: int) -> str:
    """The uuid that the server gives to the n-th object of a kind (1-based)."""
    return f"{kind[:4].encode().hex()}-0000-4000-8000-{number:012d}"


class OpenMrs:
    """The server; ``instance_url`` is what a credential's ``instanceUrl`` holds. Wants Basic authentication as USER / PASSWORD."""

    def __init__(self, page_size: int = 50) -> None:
        self.page_size = page_size
        self.patients: dict[str, Row] = {}
        self.encounters: dict[str, Row] = {}
        self.concepts = {
            uuid_of("concept", at): {"uuid": uuid_of("concept", at), "display": text} for at, text in enumerate(_CONCEPTS.values(), 1)
        }
        for identifier, given, family, gender, born in _SEED:
            name = {"givenName": given, "familyName": family}
            person = {"names": [name], "gender": gender, "birthdate": born}
            self._add_patient({"identifiers": [{"identifier": identifier, "location": LOCATION}], "person": person})
        self.server = Loopback(self.answer)

    @property
    def instance_url(self) -> str:
        """The address of the instance."""
        return f"{self.server.url}/openmrs"

    def answer(self, request: Request) -> Reply:
        """Route one request; errors have OpenMRS's shape ``{error: {message, code, detail}}``."""
        path = request.path.removeprefix("/openmrs")
        if basic_credentials(request) != (USER, PASSWORD):
            return _error(401, "User is not logged in [Privileges required: Get Patients]")
        if path.startswith("/ws/fhir2/R4/"):
            return self._fhir(path.removeprefix("/ws/fhir2/R4/"), request)
        kind, _, uuid = path.removeprefix("/ws/rest/v1/").partition("/")
        routes: dict[str, Callable[[Request, str], Reply]] = {
            "session": lambda request, uuid: Reply(200, {"authenticated": True, "user": {"display": USER}}),
            "patient": self._patient,
            "encounter": self._encounter,
            "concept": self._concept,
        }
        return routes[kind](request, uuid) if kind in routes else _error(404, f"Unknown resource: v1/{kind}")

    def _patient(self, request: Request, uuid: str) -> Reply:
        if request.method == "GET" and not uuid:
            return self._find_patients(request)
        if request.method == "POST" and not uuid:
            return self._create_patient(request.json())
        if uuid not in self.patients:
            return _error(404, "Object with given uuid doesn't exist")
        if request.method == "GET":
            return Reply(200, self._shown(self.patients[uuid], request.parameter("v", "default")))
        if request.method == "DELETE":
            return self._void(uuid, request.parameter("purge") == "true")
        return self._change_patient(uuid, request.json())

    def _find_patients(self, request: Request) -> Reply:
        wanted = (request.parameter("q") or request.parameter("identifier")).lower()
        if not wanted:
            return _error(400, "At least one search parameter is required")
        rows = [row for row in self.patients.values() if wanted in row["display"].lower() and not row["voided"]]
        return self._page(request, [self._shown(row, request.parameter("v", "ref")) for row in rows])

    def _page(self, request: Request, rows: list[Row]) -> Reply:
        start, size = int(request.parameter("startIndex", "0")), int(request.parameter("limit", str(self.page_size)))
        page = rows[max(start - 1, 0) :][:size] if start else rows[:size]
        last = (start - 1 if start else 0) + len(page)
        body: Row = {"results": page}
        if last < len(rows):
            query = urlencode({**dict(request.query), "startIndex": last + 1})
            body["links"] = [{"rel": "next", "uri": f"{self.server.url}{request.path}?{query}"}]
        return Reply(200, body)

    def _create_patient(self, body: Row) -> Reply:
        if not body.get("identifiers") or not body.get("person"):
            return _error(400, "Invalid Submission", field="identifiers" if not body.get("identifiers") else "person")
        used = {one["identifier"] for row in self.patients.values() for one in row["identifiers"]}
        for one in body["identifiers"]:
            if one["identifier"] in used:
                return _error(400, f"Identifier {one['identifier']} already in use by another patient")
        if body["person"].get("gender") not in ("M", "F", "U", "O"):
            return _error(400, "Invalid Submission", field="person.gender")
        return Reply(201, self._shown(self._add_patient(body), "default"))

    def _add_patient(self, body: Row) -> Row:
        uuid = body.get("uuid") or uuid_of("patient", len(self.patients) + 1)
        self.patients[uuid] = {"uuid": uuid, "identifiers": body["identifiers"], "person": body["person"], "voided": False}
        return self._named(self.patients[uuid])

    def _change_patient(self, uuid: str, body: Row) -> Reply:
        row = self.patients[uuid]
        row["person"] = {**row["person"], **body.get("person", {})}
        row["identifiers"] = body.get("identifiers", row["identifiers"])
        return Reply(200, self._shown(self._named(row), "default"))

    @staticmethod
    def _named(row: Row) -> Row:
        name = row["person"]["names"][0]
        row["display"] = f"{row['identifiers'][0]['identifier']} - {name['givenName']} {name['familyName']}"
        return row

    def _void(self, uuid: str, purge: bool) -> Reply:
        if purge:
            del self.patients[uuid]
        else:
            self.patients[uuid]["voided"] = True
        return Reply(204)

    def _shown(self, row: Row, representation: str) -> Row:
        """A patient as reference (``ref``), or with person and identifiers."""
        link = [{"rel": "self", "uri": f"{self.instance_url}/ws/rest/v1/patient/{row['uuid']}"}]
        short = {"uuid": row["uuid"], "display": row["display"], "links": link}
        return short if representation == "ref" else {**row, "links": link}

    def _encounter(self, request: Request, uuid: str) -> Reply:
        if request.method == "GET":
            rows = [row for row in self.encounters.values() if row["patient"] == request.parameter("patient", row["patient"])]
            return self._page(request, rows)
        if request.method != "POST" or uuid:
            return _error(405, f"{request.method} is not supported on encounters")
        body = request.json()
        for name in ("patient", "encounterType", "encounterDatetime"):
            if not body.get(name):
                return _error(400, "Invalid Submission", field=name)
        if body["patient"] not in self.patients:
            return _error(400, f"Unable to convert object into response content: no patient {body['patient']}")
        row = {"uuid": uuid_of("encounter", len(self.encounters) + 1), **body}
        self.encounters[row["uuid"]] = row
        return Reply(201, row)

    def _concept(self, request: Request, uuid: str) -> Reply:
        if uuid:
            return Reply(200, self.concepts[uuid]) if uuid in self.concepts else _error(404, "Object with given uuid doesn't exist")
        wanted = request.parameter("q").lower()
        return self._page(request, [row for row in self.concepts.values() if wanted in row["display"].lower()])

    def _fhir(self, path: str, request: Request) -> Reply:
        if path != "Patient" or request.method != "GET":
            return _error(404, f"Unknown FHIR resource {path}")
        born = request.parameter("birthdate")
        found = [_as_fhir(row) for row in self.patients.values() if row["person"]["birthdate"].startswith(born)]
        address = f"{self.server.url}{request.path}"
        return Reply(200, bundle_of(found, address, request.query, int(request.parameter("_count", "2"))), "application/json")


def _as_fhir(row: Row) -> Row:
    name = row["person"]["names"][0]
    return {
        "resourceType": "Patient",
        "id": row["uuid"],
        "gender": {"F": "female", "M": "male"}.get(row["person"]["gender"], "unknown"),
        "birthDate": row["person"]["birthdate"],
        "name": [{"family": name["familyName"], "given": [name["givenName"]]}],
    }


def _error(status: int, message: str, *, field: str = "") -> Reply:
    error: Row = {"message": f"[{message}]", "code": "webservices.rest", "detail": "at org.openmrs.module.webservices.rest …"}
    if field:
        error["fieldErrors"] = {field: [{"code": "error.null", "message": "cannot be empty"}]}
    return Reply(status, {"error": error})
