"""The story of spec/api.md §8, as curl tells it; what a running worker would do is played."""

from __future__ import annotations

from typing import Any

from own_platform import edge, job, trigger, workflow
from platform_api.world import World


def referral(inbox_id: str, name: str) -> dict[str, Any]:
    begins, works = trigger("message", inbox_id=inbox_id, inclusion={"form": {"case": {}}}), job(name)
    return workflow(name, [begins], [works], [edge(begins, works)])


def told(message: dict[str, Any]) -> list[str]:
    """As the inbox shows job-states."""
    return [f"{each['job_name']} ({each['state']} - run {each['run_number']})" for each in message["job_states"]]


def test_a_payment_fails_is_corrected_and_is_run_again(world: World) -> None:
    api = world.api
    project = api.post("projects", {"name": "story"})["id"]
    (inbox,) = api.get(f"projects/{project}/inboxes")["items"]
    assert inbox["url"].startswith("https://kivuko.example.org/inbox/")
    api.post(f"projects/{project}/workflows", referral(inbox["id"], "Referral"))
    payment = api.post(f"projects/{project}/workflows", referral(inbox["id"], "Payment"))["jobs"][0]["id"]

    posted = api.post(f"projects/{project}/messages", {"inbox_id": inbox["id"], "body": {"form": {"case": {"@case_id": "c1"}}}})
    message = f"messages/{posted['id']}"
    assert told(posted) == ["Referral (in progress - run 1)", "Payment (in progress - run 2)"]
    world.work(fails=[payment])
    assert told(api.get(message)) == ["Referral (success - run 1)", "Payment (failure - run 2)"]

    assert api.post(f"{message}/versions", {"body": {"form": {"case": {"@case_id": "c1", "amount": 12}}}}) == {"version": 2}
    refused = api.ask("POST", f"{message}/runs", {"job_id": payment})
    assert (refused.status, refused.code) == (429, "too_soon")
    assert refused.json["run_id"] == api.get(message)["job_states"][1]["run_id"]
    assert 0 < refused.json["retry_after_s"] <= 10
    assert 1 <= int(refused.headers["Retry-After"]) <= 10

    world.later()
    started = api.post(f"{message}/runs", {"job_id": payment})
    assert api.get(f"runs/{started['run_id']}")["message_version"] == 2
    world.work()
    assert told(api.get(message)) == ["Referral (success - run 1)", "Payment (success - run 3)"]
    runs = api.get(f"{message}/runs")["items"]
    assert [(run["job_name"], run["run_number"], run["state"]) for run in runs] == [
        ("Payment", 3, "success"),
        ("Payment", 2, "failed"),
        ("Referral", 1, "success"),
    ]
    assert runs[1]["error"]["line"] == 3
    assert runs[1]["exit_code"] == 1
