"""Ten jobs with the real openmrs adaptor against OpenMRS's REST and FHIR interfaces."""

from __future__ import annotations

from typing import Any

import pytest

from systems.job_run import RunJob
from systems.openmrs import LOCATION, PASSWORD, USER, OpenMrs, uuid_of

pytestmark = pytest.mark.network

REST = "/openmrs/ws/rest/v1"


def sign_in(openmrs: OpenMrs, **state: Any) -> dict[str, Any]:
    """A state with the instance's credential."""
    return {"configuration": {"instanceUrl": openmrs.instance_url, "username": USER, "password": PASSWORD}, **state}


def test_patients_are_found_by_name(run: RunJob, openmrs: OpenMrs) -> None:
    outcome = run("openmrs/01_search", sign_in(openmrs))
    assert outcome.state == {"found": ["100GEJ - Amina Otieno", "100LNW - Grace Otieno"]}
    assert openmrs.server.asked == [f"GET {REST}/patient?q=otieno"]


def test_one_patient_is_read_whole(run: RunJob, openmrs: OpenMrs) -> None:
    outcome = run("openmrs/02_singleton", sign_in(openmrs, uuid=uuid_of("patient", 3)))
    assert outcome.state == {"born": "2019-07-23", "identifier": "100JLT", "place": LOCATION}
    assert openmrs.server.requests[0].headers["accept-language"] == "fr"
    assert openmrs.server.requests[0].parameter("v") == "full"


def test_the_adaptor_fetches_all_pages(run: RunJob, openmrs: OpenMrs) -> None:
    outcome = run("openmrs/03_pages", sign_in(openmrs))
    assert outcome.state == {"names": ["Amina Otieno", "Joseph Mwangi", "Fatuma Ali", "Peter Kamau", "Grace Otieno"]}
    assert [request.parameter("startIndex") for request in openmrs.server.requests] == ["", "3", "5"]


def test_a_patient_is_registered(run: RunJob, openmrs: OpenMrs) -> None:
    form = {"card": "200AAA", "location": LOCATION, "name": "Rehema", "surname": "Auma", "sex": "F", "born": "2022-06-01T00:00:00"}
    outcome = run("openmrs/04_create", sign_in(openmrs, form=form))
    assert outcome.state == {"uuid": uuid_of("patient", 6), "display": "200AAA - Rehema Auma", "born": "2022-06-01"}
    assert openmrs.server.requests[0].json() == {
        "identifiers": [{"identifier": "200AAA", "location": LOCATION, "preferred": True}],
        "person": {"names": [{"givenName": "Rehema", "familyName": "Auma"}], "gender": "F", "birthdate": "2022-06-01"},
    }


def test_an_identifier_in_use_is_refused_with_openmrs_words(run: RunJob, openmrs: OpenMrs) -> None:
    form = {"card": "100GEJ", "location": LOCATION, "name": "Rehema", "surname": "Auma", "sex": "F", "born": "2022-06-01T00:00:00"}
    outcome = run("openmrs/04_create", sign_in(openmrs, form=form))
    error = outcome.state["errors"]["job-1"]
    assert (outcome.exit_code, error["name"], error["severity"]) == (0, "AdaptorError", "fail")
    assert "Identifier 100GEJ already in use by another patient" in str(error)


def test_a_birth_date_is_corrected(run: RunJob, openmrs: OpenMrs) -> None:
    outcome = run("openmrs/05_update", sign_in(openmrs, uuid=uuid_of("patient", 1)))
    assert outcome.state == {"display": "100GEJ - Amina Otieno", "born": "1988-03-21", "gender": "F"}
    assert openmrs.server.asked == [f"POST {REST}/patient/{uuid_of('patient', 1)}"]


def test_an_upsert_of_somebody_new_creates(run: RunJob, openmrs: OpenMrs) -> None:
    outcome = run("openmrs/06_upsert_new", sign_in(openmrs, location=LOCATION))
    assert outcome.state == {"display": "100NEW - Zawadi Chebet"}
    assert openmrs.server.asked == [f"GET {REST}/patient?identifier=100NEW", f"POST {REST}/patient"]


def test_an_upsert_of_somebody_known_updates(run: RunJob, openmrs: OpenMrs) -> None:
    outcome = run("openmrs/07_upsert_known", sign_in(openmrs))
    assert outcome.state == {"display": "100KMV - Peter Kamau", "gender": "O"}
    assert openmrs.server.asked == [f"GET {REST}/patient?identifier=100KMV&v=default", f"POST {REST}/patient/{uuid_of('patient', 4)}"]


def test_patients_are_voided_and_purged(run: RunJob, openmrs: OpenMrs) -> None:
    wrong = [uuid_of("patient", 2), uuid_of("patient", 5)]
    outcome = run("openmrs/08_destroy", sign_in(openmrs, wrong=wrong))
    assert outcome.state == {"left": 3}
    assert openmrs.patients[wrong[0]]["voided"] is True
    assert wrong[1] not in openmrs.patients
    assert openmrs.server.requests[0].parameter("reason") == "entered twice"


def test_visits_are_stored_and_a_missing_patient_is_noted(run: RunJob, openmrs: OpenMrs) -> None:
    weight = uuid_of("concept", 1)
    visits = [
        {"patient": uuid_of("patient", 1), "at": "2026-01-05T08:00:00", "concept": weight, "kg": 61.5},
        {"patient": "nobody", "at": "2026-01-05T08:10:00", "concept": weight, "kg": 12},
    ]
    outcome = run("openmrs/09_encounters", sign_in(openmrs, visits=visits))
    assert outcome.state == {
        "stored": [uuid_of("encounter", 1)],
        "errors_noted": ["[Unable to convert object into response content: no patient nobody]"],
        "kg": 61.5,
    }


def test_the_fhir_module_is_read_page_by_page(run: RunJob, openmrs: OpenMrs) -> None:
    outcome = run("openmrs/10_fhir", sign_in(openmrs))
    assert outcome.state == {
        "total": 5,
        "people": [
            "Otieno female 1988-03-12",
            "Mwangi male 1975-11-02",
            "Ali female 2019-07-23",
            "Kamau male 1990-01-30",
            "Otieno female 2001-09-15",
        ],
    }
    assert [request.parameter("_getpagesoffset") for request in openmrs.server.requests] == ["", "2", "4"]
