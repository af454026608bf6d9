"""Ten jobs with the real fhir adaptor against a FHIR R4 server."""

from __future__ import annotations

from typing import Any

import pytest

from systems.fhir import PASSWORD, USER, FhirServer
from systems.job_run import RunJob

pytestmark = pytest.mark.network

CARD = "https://registry.example.org/card"
PEOPLE = (
    ("KIB-1", "Otieno", "Amina", "female", "1988-03-12"),
    ("KIB-2", "Otieno", "Grace", "female", "2001-09-15"),
    ("LRD-3", "Mwangi", "Joseph", "male", "1975-11-02"),
    ("LRD-4", "Otieno", "Baraka", "male", "2019-07-23"),
    ("NYO-5", "Ali", "Fatuma", "female", "2020-01-30"),
)


def sign_in(fhir: FhirServer, **state: Any) -> dict[str, Any]:
    """A state with the server's credential."""
    return {"configuration": {"baseUrl": fhir.server.url, "apiPath": "fhir", "username": USER, "password": PASSWORD}, **state}


@pytest.fixture
def people(fhir: FhirServer) -> FhirServer:
    """The server with five patients, ids 1 to 5."""
    for number, (card, family, given, gender, born) in enumerate(PEOPLE, 1):
        fhir.store["Patient"][str(number)] = {
            "resourceType": "Patient",
            "id": str(number),
            "meta": {"versionId": "1"},
            "identifier": [{"system": CARD, "value": card}],
            "name": [{"family": family, "given": [given]}],
            "gender": gender,
            "birthDate": born,
        }
    return fhir


def test_a_form_becomes_a_patient(run: RunJob, fhir: FhirServer) -> None:
    form = {"card": "KIB-12", "surname": "Otieno", "name": "Amina", "sex": "F", "born": "1988-03-12"}
    outcome = run("fhir/01_create_patient", sign_in(fhir, form=form))
    assert outcome.state == {"id": "1", "version": "1", "status": 201}
    assert fhir.server.asked == ["POST /fhir/Patient"]
    assert fhir.server.requests[0].headers["content-type"] == "application/fhir+json"
    assert fhir.store["Patient"]["1"] == {
        "resourceType": "Patient",
        "id": "1",
        "meta": {"versionId": "1"},
        "identifier": [{"system": CARD, "value": "KIB-12"}],
        "name": [{"family": "Otieno", "given": ["Amina"]}],
        "gender": "female",
        "birthDate": "1988-03-12",
    }


def test_a_search_gives_a_short_list(run: RunJob, people: FhirServer) -> None:
    outcome = run("fhir/02_search", sign_in(people))
    assert outcome.state == {
        "total": 2,
        "people": [
            {"id": "2", "name": "Grace Otieno", "birthDate": "2001-09-15"},
            {"id": "4", "name": "Baraka Otieno", "birthDate": "2019-07-23"},
        ],
    }
    assert people.server.asked == ["GET /fhir/Patient?family=otieno&birthdate=ge2000"]


def test_a_conditional_create_stores_once(run: RunJob, fhir: FhirServer) -> None:
    outcome = run("fhir/03_create_once", sign_in(fhir))
    assert outcome.state == {"statuses": [201, 200], "id": "1"}
    assert len(fhir.store["Patient"]) == 1


def test_a_transaction_stores_resources_that_refer_to_each_other(run: RunJob, fhir: FhirServer) -> None:
    outcome = run("fhir/04_transaction", sign_in(fhir, visit={"card": "KIB-30", "surname": "Salim", "kg": 61.5}))
    assert outcome.state == {
        "answers": [{"status": "201 Created", "location": "Patient/1"}, {"status": "201 Created", "location": "Observation/1"}]
    }
    assert fhir.store["Observation"]["1"]["subject"] == {"reference": "Patient/1"}
    assert fhir.store["Observation"]["1"]["valueQuantity"] == {"value": 61.5, "unit": "kg"}


def test_a_refused_transaction_stores_nothing(run: RunJob, fhir: FhirServer) -> None:
    outcome = run("fhir/05_transaction_refused", sign_in(fhir))
    why = "Observation.status: 'guessed' is not one of registered, preliminary, final, amended"
    assert outcome.state == {"refused": 422, "why": [why], "stored": 0}
    assert fhir.server.asked == ["POST /fhir/", f"GET /fhir/Patient?identifier={CARD}|KIB-900&_summary=count"]


def test_a_patient_is_read_changed_and_written_back(run: RunJob, people: FhirServer) -> None:
    outcome = run("fhir/06_update", sign_in(people))
    telecom = [{"system": "phone", "value": "+254722418305"}]
    assert outcome.state == {"telecom": telecom, "version": "2", "method": "PUT", "status": 200}
    assert people.server.asked == ["GET /fhir/Patient/2", "PUT /fhir/Patient/2"]
    assert people.store["Patient"]["2"]["name"] == [{"family": "Otieno", "given": ["Grace"]}]


def test_all_pages_of_a_search_are_followed(run: RunJob, people: FhirServer) -> None:
    outcome = run("fhir/07_all_pages", sign_in(people))
    assert outcome.state == {"names": ["Otieno", "Otieno", "Mwangi", "Otieno", "Ali"], "pages": 3}
    assert [request.parameter("_getpagesoffset") for request in people.server.requests] == ["", "2", "4"]


def test_claims_are_searched_and_read(run: RunJob, people: FhirServer) -> None:
    for number, status in (("1", "draft"), ("2", "active")):
        claim = {"resourceType": "Claim", "id": number, "status": status, "use": "claim", "patient": {"reference": "Patient/4"}}
        people.store["Claim"][number] = {**claim, "meta": {"versionId": "1"}}
    outcome = run("fhir/08_claims", sign_in(people))
    assert outcome.state == {"waiting": ["2"], "use": "claim", "patient": "Patient/4"}
    assert people.server.asked == ["GET /fhir/Claim?status=active", "GET /fhir/Claim/2"]


def test_a_deleted_patient_is_gone(run: RunJob, people: FhirServer) -> None:
    outcome = run("fhir/09_delete", sign_in(people))
    assert outcome.state == {"deleted": 200, "afterwards": 410, "why": "Resource Patient/3 was deleted"}
    assert "3" not in people.store["Patient"]


def test_one_refused_immunization_stops_no_other(run: RunJob, people: FhirServer) -> None:
    vaccinations = [
        {"patient": "4", "vaccine": "03", "day": "05.01.2026"},
        {"patient": "99", "vaccine": "03", "day": "05.01.2026"},
        {"patient": "5", "vaccine": "19", "day": "06.01.2026"},
    ]
    outcome = run("fhir/10_immunizations", sign_in(people, vaccinations=vaccinations))
    missing = "Resource Patient/99 not found, specified in path: Immunization.patient"
    assert outcome.state == {"results": [["1", "2026-01-05"], missing, ["2", "2026-01-06"]]}


def test_a_wrong_password_ends_the_job_with_the_servers_words(run: RunJob, fhir: FhirServer) -> None:
    state = sign_in(fhir, form={"card": "1", "surname": "A", "name": "B", "sex": "F", "born": "2000"})
    state["configuration"]["password"] = "wrong-one"
    outcome = run("fhir/01_create_patient", state)
    assert (outcome.exit_code, outcome.state["errors"]["job-1"]["name"]) == (0, "AdaptorError")
    assert "401" in outcome.state["errors"]["job-1"]["message"]
    assert "wrong-one" not in outcome.log
