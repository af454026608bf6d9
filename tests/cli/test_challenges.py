"""The challenges' API and their grading."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

import pytest

from kivuko.cli.challenges.api import ROUTES, ChallengeApi, answers_at
from kivuko.cli.challenges.tasks import TASKS, Evidence
from kivuko.errors import InputError


def test_every_route_answers_on_loopback() -> None:
    with ChallengeApi(0) as api:
        for path, (status, body) in ROUTES.items():
            try:
                with urllib.request.urlopen(api.url + path) as answer:
                    found = (answer.status, json.load(answer))
            except urllib.error.HTTPError as refused:
                with refused:
                    found = (refused.code, json.load(refused))
            assert found == (status, body)


def test_an_unknown_route_is_a_404_that_names_the_routes() -> None:
    with ChallengeApi(0) as api, pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(api.url + "/nope")
    with refused.value:
        assert "/users" in json.load(refused.value)["routes"]
        assert refused.value.code == 404


def test_a_second_server_finds_the_port_taken_and_the_first_one_answering() -> None:
    with ChallengeApi(0) as api:
        port = int(api.url.rpartition(":")[2])
        assert answers_at(port)
        with pytest.raises(InputError, match=f"Port {port}"):
            ChallengeApi(port)
    assert not answers_at(port)


def grade(number: int, log: str, state: dict[str, object] | None) -> list[str]:
    task = next(task for task in TASKS if task.number == number)
    return task.grade(Evidence(0, log, state))


USERS = ROUTES["/users"][1]
CONTACTS = [{"name": "n1", "email": "e1@example.org"}, {"name": "n2", "email": "e2@example.org"}]
SOLVED: list[tuple[int, str, dict[str, object]]] = [
    (1, "[JOB] ℹ Hello, Ada!", {"data": {}, "greeting": "Hello, Ada!"}),
    (2, '{"name": "Leanne Graham"}', {"data": USERS, "response": {"statusCode": 200}, "references": []}),
    (3, "", {"data": [], "byRegion": {"Africa": ["Kenya", "Chad"], "Asia": ["Nepal"]}}),
    (3, "", {"byRegion": {"Africa": [{"country": "Kenya"}, {"country": "Chad"}], "Asia": [{"country": "Nepal"}]}}),
    (4, json.dumps(CONTACTS), {"contacts": CONTACTS}),
    (5, "404", {"errors": {"job-1": {"name": "AdaptorError", "severity": "fail"}}}),
    (5, "Request failed: 404", {"failed": True}),
    (6, "", {"posts": [{"id": 1}, {"id": 2}]}),
]


@pytest.mark.parametrize(("number", "log", "state"), SOLVED)
def test_a_solution_passes(number: int, log: str, state: dict[str, object]) -> None:
    assert grade(number, log, state) == []


@pytest.mark.parametrize(
    ("number", "log", "state", "hint"),
    [
        (1, "", {"data": {}, "greeting": "x"}, "console.log"),
        (1, "[JOB] ℹ Hello, Ada!", {"data": {}}, "greeting"),
        (1, "[JOB] ℹ Hello, Ada!", {"data": {}, "greeting": "x", "more": 1}, "it also holds more"),
        (1, "[JOB] ℹ Hello, Ada!", {"data": 5, "greeting": "x"}, "leave data"),
        (2, "Leanne Graham", {"data": {}, "response": {"statusCode": 200}}, "fetch /users"),
        (2, "Leanne Graham", {"data": USERS}, "state.response"),
        (2, "Leanne Graham Ervin Howell", {"data": USERS, "response": {"statusCode": 200}}, "first user alone"),
        (3, "", {"byRegion": {"Africa": ["Kenya"]}}, "byRegion"),
        (3, "", {"byRegion": {"Africa": ["Kenya", "Chad"], "Asia": ["Nepal"]}, "configuration": {}}, "configuration"),
        (4, "", {"contacts": CONTACTS}, "log the list"),
        (4, "n1 n2 e1@example.org e2@example.org", {}, "contacts"),
        (5, "", {}, "posts/180"),
        (5, "404", {"errors": {"job-1": {"name": "JobError"}}}, "JobError"),
        (5, "404", {}, ".catch"),
        (6, "", {"posts": [{"id": 3}]}, "userId 1"),
    ],
)
def test_a_hint_says_what_is_missing(number: int, log: str, state: dict[str, object], hint: str) -> None:
    assert hint in " ".join(grade(number, log, state))


@pytest.mark.parametrize("task", TASKS)
def test_a_run_without_output_passes_nothing(task: object) -> None:
    assert grade(task.number, "", None)  # type: ignore[attr-defined]
