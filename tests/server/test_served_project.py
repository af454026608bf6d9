"""``kivuko serve project.yaml`` from outside: the microservice's answers, a restart, the API key."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.own_server import OwnServer, refused
from systems.adaptor_repo import adaptor_repo

pytestmark = [pytest.mark.network, pytest.mark.slow]

PROJECT = """
jobs:
  welcome:
    expression: |
      fn(state => {
        console.log('hello', state.data.name, state.configuration.username);
        if (state.data.name === 'nobody') throw new Error('nobody is there');
        return { ...state, seen: (state.seen || 0) + 1 };
      });
    adaptor: '@openfn/language-common@3.3.4'
    trigger: person
    credential: my-system
  follow-up:
    expression: fn(state => { console.log('followed', state.seen); return state; });
    adaptor: '@openfn/language-common@3.3.4'
    trigger: after-welcome
triggers:
  person:
    type: message
    criteria: '{"kind": "person"}'
  after-welcome:
    success: welcome
"""


@pytest.fixture
def environment() -> dict[str, str]:
    """Where the adaptor is, and the credential."""
    return {"OPENFN_REPO_DIR": str(adaptor_repo("common")), "KIVUKO_CREDENTIAL_MY_SYSTEM": '{"username": "ada", "password": "canary-9"}'}


def test_a_project_file_is_served_with_the_microservices_answers(tmp_path: Path, environment: dict[str, str]) -> None:
    file = tmp_path / "project.yaml"
    file.write_text(PROJECT)
    words = (str(file), "--data", str(tmp_path / "data"), "--sync")
    with OwnServer(*words, environment={**environment, "KIVUKO_INBOX_API_KEY": "k-123"}) as server:
        key = {"x-api-key": "k-123"}
        assert server.ask("POST", "/inbox", {"kind": "person"})[0] == 401
        assert server.ask("POST", "/inbox", {"kind": "thing"}, key)[0] == 200
        status, found = server.ask("POST", "/inbox/", {"kind": "person", "name": "Grace"}, key)
        assert (status, found["data"], found["success"], found["match_count"]) == (201, ["welcome"], True, 1)
        assert (found["jobs"][0]["exit_code"], "hello Grace ada" in found["jobs"][0]["log"]) == (0, True)
        status, found = server.ask("POST", "/inbox", {"kind": "person", "name": "nobody"}, key)
        assert (status, found["success"], found["jobs"][0]["exit_code"]) == (206, False, 1)
        assert server.ask("POST", "/inbox", b"{broken", key)[0] == 400
        assert server.stop() == 0
        assert "canary-9" not in "\n".join([*server.said, *server.logged])
    with OwnServer(*words[:-1], environment=environment) as again:
        status, found = again.ask("POST", "/inbox", {"kind": "person", "name": "Ada"})
        assert (status, found["data"], found["errors"]) == (202, ["welcome"], [])
        assert found["meta"] == {"message": "Data accepted and processing has begun."}


def test_what_is_wrong_with_a_project_is_said_before_anything_starts(tmp_path: Path) -> None:
    file = tmp_path / "project.yaml"
    file.write_text(PROJECT)
    code, output = refused(str(file), "--data", str(tmp_path / "data"), "--port", "0")
    assert (code, "KIVUKO_CREDENTIAL_MY_SYSTEM" in output) == (1, True)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("words", "what"),
    [(("--sync",), "project file"), (("p.yaml", "--stateless", "--data", "d"), "keeps nothing")],
    ids=["sync", "stateless"],
)
def test_flags_that_mean_nothing_together_are_refused(words: tuple[str, ...], what: str) -> None:
    code, output = refused(*words)
    assert (code, what in output) == (9, True)
