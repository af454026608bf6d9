"""The example of OpenFn's overview, word for word (R-075): two jobs, a run that fails, a mended message, two job-states all along."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from journeys.own_server import OwnServer, Problem, job_workflow
from systems.adaptor_repo import adaptor_repo

pytestmark = [pytest.mark.network, pytest.mark.slow, pytest.mark.xdist_group("journeys")]
REFERRAL = "fn(state => ({ ...state, referred: state.data.form.case['@case_id'] }));"
PAYMENT = "fn(state => {\n  if (!state.data.form.amount) throw new Error('amount is missing in form.amount');\n  return state;\n});"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnServer]:
    with OwnServer(tmp_path_factory.mktemp("seeds"), Path(adaptor_repo("common"))) as server:
        yield server


def again(server: OwnServer, message: str, job: str) -> str:
    """Runs a message through a job once the ten seconds are over; the new run's id."""
    try:
        return str(server.post(f"/messages/{message}/runs", {"job_id": job})["run_id"])
    except Problem as refusal:
        if refusal.document["code"] != "too_soon":
            raise
        time.sleep(refusal.document["retry_after_s"])  # paced: the server says how long
        return str(server.post(f"/messages/{message}/runs", {"job_id": job})["run_id"])


def test_the_story_of_a_referral_and_a_payment(server: OwnServer) -> None:
    project, inbox = server.project("seeds")
    form = {"kind": "message", "inbox_id": inbox["id"], "inclusion": {"form": {"@name": "Referral"}}}
    server.post(f"/projects/{project}/workflows", job_workflow("Referral", REFERRAL, form))
    payment = server.post(f"/projects/{project}/workflows", job_workflow("Payment", PAYMENT, form))["jobs"][0]["id"]

    sent = {"form": {"@name": "Referral", "case": {"@case_id": "c1"}}}
    answer = server.send(inbox["url"], sent)
    message = answer["message_id"]
    assert answer["data"] == ["Referral", "Payment"]
    assert server.job_states(message) == ["Referral (success - run 1)", "Payment (failure - run 2)"]

    failed = server.get(f"/messages/{message}/runs")["items"][0]
    assert (failed["error"]["message"], failed["error"]["line"]) == ("amount is missing in form.amount", 2)
    assert (failed["exit_code"], failed["exit_reason"], failed["state"]) == (1, "fail", "failed")

    mended = {"form": {**sent["form"], "amount": 20}}
    assert server.post(f"/messages/{message}/versions", {"body": mended})["version"] == 2
    again(server, message, payment)
    assert server.job_states(message) == ["Referral (success - run 1)", "Payment (success - run 3)"]

    runs = [(run["run_number"], run["message_version"], run["state"]) for run in server.get(f"/messages/{message}/runs")["items"]]
    assert runs == [(3, 2, "success"), (2, 1, "failed"), (1, 1, "success")]
