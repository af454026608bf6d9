"""The FHIR server of the tests keeps FHIR's rules, so that a job that passes against it is worth something."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from systems.fhir import PASSWORD, USER, FhirServer
from systems.loopback import Reply, Request

SIGN_IN = {
    "authorization": "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode(),
    "content-type": "application/fhir+json",
}


def ask(server: FhirServer, method: str, path: str, body: Any = None, query: tuple[tuple[str, str], ...] = (), **headers: str) -> Reply:
    """The server's reply to one request of somebody signed in."""
    payload = b"" if body is None else json.dumps(body).encode()
    return server.answer(Request(method, f"/fhir/{path}", query, {**SIGN_IN, **headers}, payload))


def patient(card: str = "1", **changes: Any) -> dict[str, Any]:
    """A Patient that the server accepts, with changes."""
    return {"resourceType": "Patient", "identifier": [{"system": "s", "value": card}], "name": [{"family": "Otieno"}], **changes}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": []}, "Patient.name: minimum required = 1, but only found 0"),
        ({"name": [{"given": ["Amina"]}]}, "Patient.name[0].family: minimum required = 1, but only found 0"),
        ({"gender": "F"}, "Patient.gender: 'F' is not one of male, female, other, unknown"),
        ({"birthDate": "2023-02-29"}, "Patient.birthDate: '2023-02-29' is not a valid date"),
        ({"birthDate": "5.1.2020"}, "Patient.birthDate: '5.1.2020' is not a valid date"),
        ({"identifier": [{"value": "1"}]}, "Patient.identifier[0]: system and value are required"),
    ],
)
def test_a_flawed_patient_is_refused_with_the_place_of_the_flaw(changes: dict[str, Any], sentence: str) -> None:
    server = FhirServer()
    reply = ask(server, "POST", "Patient", patient(**changes))
    assert reply.status == 422
    assert [issue["diagnostics"] for issue in reply.body["issue"]] == [sentence]
    assert server.store["Patient"] == {}


@pytest.mark.parametrize("date", ["1987", "1987-05", "2024-02-29"])
def test_partial_and_leap_dates_are_dates(date: str) -> None:
    assert ask(FhirServer(), "POST", "Patient", patient(birthDate=date)).status == 201


def test_a_resource_has_versions_and_an_end() -> None:
    server = FhirServer()
    ask(server, "POST", "Patient", patient())
    changed = ask(server, "PUT", "Patient/1", patient(id="1", gender="female"))
    assert (changed.status, changed.body["meta"]["versionId"]) == (200, "2")
    assert ask(server, "DELETE", "Patient/1").status == 200
    assert ask(server, "GET", "Patient/1").status == 410
    assert ask(server, "GET", "Patient/2").status == 404


def test_a_reference_to_nobody_is_refused() -> None:
    observation = {"resourceType": "Observation", "status": "final", "code": {"text": "weight"}, "subject": {"reference": "Patient/9"}}
    reply = ask(FhirServer(), "POST", "Observation", observation)
    assert (reply.status, reply.body["issue"][0]["diagnostics"]) == (
        400,
        "Resource Patient/9 not found, specified in path: Observation.subject",
    )


def test_a_transaction_is_all_or_nothing() -> None:
    server = FhirServer()
    good = {"resource": patient(), "request": {"method": "POST", "url": "Patient"}}
    bad = {"resource": patient("2", gender="B"), "request": {"method": "POST", "url": "Patient"}}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [good, bad]}
    assert ask(server, "POST", "", bundle).status == 422
    assert server.store["Patient"] == {}
    assert ask(server, "POST", "", {**bundle, "entry": [good]}).status == 200
    assert list(server.store["Patient"]) == ["1"]


def test_pages_of_a_search_lead_to_each_other() -> None:
    server = FhirServer(page_size=2)
    for card in "123":
        ask(server, "POST", "Patient", patient(card))
    first = ask(server, "GET", "Patient").body
    assert (first["total"], len(first["entry"]), [link["relation"] for link in first["link"]]) == (3, 2, ["self", "next"])
    second = ask(server, "GET", "Patient", query=(("_count", "2"), ("_getpagesoffset", "2"))).body
    assert [entry["resource"]["id"] for entry in second["entry"]] == ["3"]
    assert [link["relation"] for link in second["link"]] == ["self"]


def test_who_is_not_signed_in_gets_an_operation_outcome() -> None:
    reply = ask(FhirServer(), "GET", "Patient", authorization="")
    assert (reply.status, reply.body["resourceType"]) == (401, "OperationOutcome")


def test_other_content_types_are_refused() -> None:
    assert ask(FhirServer(), "POST", "Patient", patient(), **{"content-type": "text/plain"}).status == 415
