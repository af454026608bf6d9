"""Ten jobs with the real http adaptor against a web API."""

from __future__ import annotations

import pytest

from systems.job_run import RunJob, plain
from systems.web import PASSWORD, TOKEN, USER, WebApi

pytestmark = pytest.mark.network


def test_a_list_is_fetched_and_summed_up(run: RunJob, web: WebApi) -> None:
    outcome = run("http/01_list_villages", {"configuration": {"baseUrl": web.server.url}})
    assert outcome.state == {"people": {"Kibiri": 8, "Lamu": 14, "Nyeri": 2}, "statusCode": 200}
    assert web.server.asked == ["GET /households"]
    assert "authorization" not in web.server.requests[0].headers


def test_pages_are_read_until_all_is_there(run: RunJob, web: WebApi) -> None:
    outcome = run("http/02_pages", {"configuration": {"baseUrl": web.server.url}})
    assert outcome.state == {"heads": ["Amina Otieno", "Joseph Mwangi", "Fatuma Ali", "Peter Kamau", "Grace Achieng"]}
    assert web.server.asked == [f"GET /households?per_page=2&page={page}" for page in (1, 2, 3)]


def test_a_record_is_created_and_read_back(run: RunJob, web: WebApi) -> None:
    outcome = run("http/03_create", {"configuration": {"baseUrl": web.server.url}, "newcomer": {"name": "Halima Said", "village": "Lamu"}})
    created = {"id": 6, "head": "Halima Said", "village": "Lamu", "members": 4}
    assert plain(outcome.state, web.server.url) == {
        "newcomer": {"name": "Halima Said", "village": "Lamu"},
        "created": 201,
        "location": "/households/6",
        "data": created,
        "references": [{}, created],
        "response": {"url": "{url}/households/6", "method": "GET", "statusCode": 200, "statusMessage": "OK"},
    }
    assert web.server.asked == ["POST /households", "GET /households/6"]
    assert web.server.requests[0].headers["content-type"] == "application/json"
    assert web.server.requests[0].json() == {"head": "Halima Said", "village": "Lamu", "members": 4}


def test_records_are_patched_replaced_and_removed(run: RunJob, web: WebApi) -> None:
    outcome = run("http/04_change_and_remove", {"configuration": {"baseUrl": web.server.url}})
    moved = {"id": 2, "head": "Joseph Mwangi", "village": "Nyeri", "members": 1}
    assert outcome.state == {"removed": 204, "nyeri": [moved], "before": 4}
    assert web.server.asked == ["PATCH /households/1", "PUT /households/2", "DELETE /households/4", "GET /households?village=Nyeri"]
    assert web.households[1] == {"id": 1, "head": "Amina Otieno", "village": "Kibiri", "members": 6}
    assert 4 not in web.households


def test_a_form_is_sent_as_multipart(run: RunJob, web: WebApi) -> None:
    outcome = run("http/05_form", {"configuration": {"baseUrl": web.server.url}, "patient": {"name": "Amina", "visits": [1, {"kg": 9.5}]}})
    assert outcome.state["data"] == {"patient": "Amina", "visits": '[1,{"kg":9.5}]', "é": "ü"}
    assert web.server.requests[0].headers["content-type"].startswith("multipart/form-data; boundary=")


def test_a_csv_export_is_parsed(run: RunJob, web: WebApi) -> None:
    outcome = run("http/06_csv", {"configuration": {"baseUrl": web.server.url}})
    assert outcome.state == {
        "empty": [{"facility": "Lamu DH", "item": "ORS sachets", "quantity": "0"}],
        "items": ["ORS sachets", "Zinc, 20 mg", "ORS sachets"],
    }


def test_a_password_opens_a_private_address(run: RunJob, web: WebApi) -> None:
    configuration = {"baseUrl": f"{web.server.url}/private", "username": USER, "password": PASSWORD}
    outcome = run("http/07_basic_auth", {"configuration": configuration})
    heads = {"Kibiri": "Amina Otieno, Joseph Mwangi", "Lamu": "Fatuma Ali, Grace Achieng", "Nyeri": "Peter Kamau"}
    assert outcome.state == {"heads": heads, "status": "OK"}
    assert PASSWORD not in outcome.log


def test_a_token_opens_it_too(run: RunJob, web: WebApi) -> None:
    configuration = {"baseUrl": f"{web.server.url}/private", "access_token": TOKEN}
    outcome = run("http/08_bearer_token", {"configuration": configuration, "requestId": "abc-1"})
    assert outcome.state == {"total": 2, "first": "Fatuma Ali", "query": {"village": "Lamu", "per_page": 1}}
    assert web.server.asked == ["GET /private/households?per_page=1&village=Lamu"]
    assert web.server.requests[0].headers["x-request-id"] == "abc-1"


def test_redirects_are_followed_or_shown(run: RunJob, web: WebApi) -> None:
    outcome = run("http/09_redirects", {"configuration": {"baseUrl": web.server.url}})
    assert plain(outcome.state, web.server.url) == {
        "found": {"id": 3, "head": "Fatuma Ali", "village": "Lamu", "members": 8},
        "asked": "{url}/old",
        "notFollowed": [301, "/older"],
    }
    assert web.server.asked == ["GET /old", "GET /older", "GET /households/3", "GET /old"]


def test_errors_are_caught_or_allowed(run: RunJob, web: WebApi) -> None:
    outcome = run("http/10_errors", {"configuration": {"baseUrl": web.server.url}})
    assert outcome.state == {"missing": [404, {"error": "household 99 is unknown"}], "refused": "head"}
    assert web.server.asked == ["GET /households/99", "POST /households"]


def test_an_error_that_nobody_caught_ends_the_job(run: RunJob, web: WebApi) -> None:
    outcome = run("http/11_uncaught", {"configuration": {"baseUrl": web.server.url}, "kept": 1})
    error = outcome.state.pop("errors")["job-1"]
    assert (outcome.exit_code, outcome.state) == (0, {"kept": 1, "data": {}})
    assert (error["name"], error["severity"]) == ("AdaptorError", "fail")
    assert "the registry is being repaired" in error["message"]
    assert "Check state.errors.job-1 for details" in outcome.log
    assert run("http/11_uncaught", {"configuration": {"baseUrl": web.server.url}}, "--strict").exit_code == 1
