"""Secrets stay where they belong: not in logs (also of what fails), answers, mails, exports or metrics, and not in clear on disk."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
import pytest

from journeys.canaries import places_with
from journeys.mailbox import Mailbox
from journeys.own_server import TOKEN, OwnServer, eventually
from journeys.test_initial_states import Scene

pytestmark = [pytest.mark.network, pytest.mark.slow, pytest.mark.xdist_group("journeys")]
PASSWORD = "canary-password-of-amina"
"""Of the first administrator: tests/journeys/conftest.py."""
BLABS = (
    "fn(s => { console.log('the password is ' + s.configuration.password); console.log(s.configuration); return s; });\n"
    "fn(s => { throw new Error('refused: ' + s.configuration.password); });"
)


@dataclass
class Told:
    """A project whose job tells its credential to everybody, and all secrets in it."""

    scene: Scene
    run: str
    secrets: dict[str, str]
    """By name: what may be nowhere."""


@pytest.fixture(scope="module")
def told(place: OwnServer) -> Told:
    scene = Scene(place, "secrets")
    body, other = f"canary-body-{uuid.uuid4()}", f"canary-changed-{uuid.uuid4()}"
    credential = place.post(f"/projects/{scene.project}/credentials", {"name": "records", "body": {"password": other}})
    place.patch(f"/credentials/{credential['id']}", {"body": {"password": body, "user": "u"}})
    key = place.post(f"/projects/{scene.project}/auth_methods", {"name": "key", "kind": "api_key"})
    token = place.post("/tokens", {"name": f"second {uuid.uuid4()}"})
    place.patch(f"/inboxes/{scene.inbox['id']}", {"auth_method_ids": [key["id"]]})
    scene.save("Blabs", BLABS, scene.message(), credential_id=credential["id"])
    sent = place.ask("POST", scene.inbox["url"], b"{}", {"content-type": "application/json", "x-api-key": key["secret"]})
    assert sent.status == 202
    (run,) = scene.runs("Blabs")
    secrets = {
        "credential": body,
        "credential before": other,
        "inbox key": key["secret"],
        "inbox address": scene.inbox["url"].rpartition("/")[2],
        "token": TOKEN,
        "second token": token["token"],
        "password": PASSWORD,
    }
    return Told(scene, run["id"], secrets)


def holding(text: str, secrets: dict[str, str]) -> list[str]:
    """The names of the secrets that a text holds."""
    return [name for name, secret in secrets.items() if secret in text]


def test_the_log_and_the_error_of_a_run_hide_its_credential(place: OwnServer, told: Told) -> None:
    shown = [place.ask("GET", f"/api/v1/runs/{told.run}{part}", headers=place.asking) for part in ("", "/log", "/input")]
    lines = json.dumps([answer.json for answer in shown])
    assert "the password is ***" in lines
    assert "refused: ***" in lines
    assert holding(lines, told.secrets) == []


def test_no_answer_of_the_api_shows_one(place: OwnServer, told: Told) -> None:
    project = told.scene.project
    paths = ["/me", "/tokens", "/projects", "/workers", "/notifications", f"/projects/{project}"]
    paths += [
        f"/projects/{project}/{part}" for part in ("workflows", "credentials", "auth_methods", "messages", "runs", "work_orders", "summary")
    ]
    message = place.get(f"/projects/{project}/messages")["items"][0]["id"]
    attempt = place.get(f"/runs/{told.run}")["attempt_id"]
    paths += [f"/messages/{message}", f"/messages/{message}/runs", f"/attempts/{attempt}", f"/attempts/{attempt}/log"]
    for path in paths:
        answer = place.ask("GET", f"/api/v1{path}", headers=place.asking)
        assert (answer.status, holding(answer.body.decode(), told.secrets)) == (200, []), path


@pytest.mark.parametrize("kind", ["text/csv", "text/plain"])
def test_no_export_shows_one(place: OwnServer, told: Told, kind: str) -> None:
    path = f"/projects/{told.scene.project}/runs" if kind == "text/csv" else f"/runs/{told.run}/log"
    answer = place.ask("GET", f"/api/v1{path}", headers={**place.asking, "accept": kind})
    assert (answer.status, answer.headers["content-type"].partition(";")[0]) == (200, kind)
    assert told.run in answer.body.decode() or "the password is ***" in answer.body.decode()
    assert holding(answer.body.decode(), told.secrets) == []


def test_metrics_and_readiness_show_none(place: OwnServer, told: Told) -> None:
    for path in ("/metrics", "/ready", "/health"):
        answer = place.ask("GET", path)
        assert (answer.status, holding(answer.body.decode(), told.secrets)) == (200, [])


def test_the_mail_about_the_failure_shows_none(place: OwnServer, told: Told, mailbox: Mailbox) -> None:
    mails = eventually(lambda: [text for text in mailbox.texts() if told.run in text or "Blabs" in text], 60)
    assert any("refused: ***" in mail for mail in mails)
    assert [name for mail in mails for name in holding(mail, told.secrets)] == []


def test_a_request_that_fails_leaves_nothing_of_itself_in_the_log(place: OwnServer, told: Told) -> None:
    """A table that is gone: the one thing that makes any request a fault of the server."""
    canary = f"canary-of-a-failed-request-{uuid.uuid4()}"
    body = json.dumps({"name": "x", "body": {"password": canary}}).encode()
    with without_credentials(place):
        answer = place.ask("POST", f"/api/v1/projects/{told.scene.project}/credentials", body, place.asking)
    assert answer.status in (500, 503)
    assert canary not in answer.body.decode()
    assert "Error" in place.log
    assert canary not in place.log
    assert place.ask("POST", f"/api/v1/projects/{told.scene.project}/credentials", body, place.asking).status == 201
    assert places_with(place, canary) == []


def test_the_servers_log_shows_none(place: OwnServer, told: Told) -> None:
    place.ask("POST", f"/inbox/{uuid.uuid4()}", b"{}", {"x-api-key": told.secrets["inbox key"]})
    place.ask("GET", "/api/v1/me", headers={"authorization": f"Bearer {told.secrets['second token']}x"})
    place.ask("GET", f"/api/v1/projects?token={TOKEN}", headers=place.asking)
    assert holding(place.log, told.secrets) == []


def test_what_is_no_secret_is_found_on_disk(place: OwnServer) -> None:
    """Else the test below would look in the wrong place."""
    scene, canary = Scene(place, "found"), f"canary-found-{uuid.uuid4()}"
    place.send(scene.inbox["url"], {"a": canary})
    assert places_with(place, canary) != []


def test_nothing_lies_on_disk_in_clear(place: OwnServer, told: Told) -> None:
    for name, secret in told.secrets.items():
        assert places_with(place, secret) == [], name


@contextmanager
def without_credentials(place: OwnServer) -> Iterator[None]:
    """While this goes on, the table of credentials has another name."""
    there, away = (
        "ALTER TABLE credentials_credential RENAME TO credentials_away",
        "ALTER TABLE credentials_away RENAME TO credentials_credential",
    )
    if place.database_url:
        with psycopg.connect(place.database_url, autocommit=True) as connection:
            connection.execute(there)
            try:
                yield
            finally:
                connection.execute(away)
        return
    held = sqlite3.connect(place.data / "kivuko.db", isolation_level=None, timeout=30)
    held.execute("PRAGMA legacy_alter_table = ON")
    held.execute(there)
    try:
        yield
    finally:
        held.execute(away)
        held.close()
