"""Project files of generation v2, as they occur in the wild."""

from __future__ import annotations

from pathlib import Path

import pytest

from kivuko.errors import FileMissing, InputError, InvalidJson
from kivuko.projects.microservice import MicroserviceJob, MicroserviceProject, MicroserviceTrigger
from kivuko.projects.microservice_file import read_microservice_project

BODY = {"username": "u", "password": "p"}


def read(folder: Path, text: str, environment: dict[str, str] | None = None, **files: str) -> MicroserviceProject:
    """The project in a text, with files beside it (``a_js`` is a.js)."""
    for name, content in files.items():
        (folder / name.replace("_", ".")).write_text(content)
    (folder / "project.yaml").write_text(text)
    return read_microservice_project(folder / "project.yaml", environment or {})


def job_of(folder: Path, trigger: str, job: str = "expression: fn(s => s)") -> MicroserviceJob:
    """The only job of a project with one trigger, both in YAML's flow style."""
    return read(folder, f"jobs: {{a: {{{job}, trigger: t}}, b: {{expression: x()}}}}\ntriggers: {{t: {{{trigger}}}}}").jobs[0]


SAMPLE = """
jobs:
  first:
    expression: file://first.js
    adaptor: '@openfn/language-http@7.2.10'
    trigger: new-case
    credential: my-system
  second:
    expression: |
      // a comment
      fn(s => s)
    adaptor: language-dhis2
    trigger: after-first
triggers:
  new-case:
    type: message
    criteria: '{"form": "a"}'
  after-first:
    success: first
  nobody-uses-this:
    cron: '0 0 * * *'
credentials:
  my-system: file://cred.json
  unused: file://not-there.json
"""


def test_a_whole_project_is_read_with_its_files(tmp_path: Path) -> None:
    found = read(tmp_path, SAMPLE, first_js="get('/x')\n", cred_json='{"username": "u", "password": "p"}')
    assert found.jobs == (
        MicroserviceJob(
            "first",
            "get('/x')\n",
            "@openfn/language-http@7.2.10",
            MicroserviceTrigger("new-case", "message", inclusion={"form": "a"}),
            "my-system",
        ),
        MicroserviceJob(
            "second", "// a comment\nfn(s => s)\n", "@openfn/language-dhis2", MicroserviceTrigger("after-first", "success", source="first")
        ),
    )
    assert found.credentials == {"my-system": BODY}
    assert found.warnings == ()


def test_json_is_taken_too(tmp_path: Path) -> None:
    (tmp_path / "project.json").write_text('{"jobs": {"a": {"expression": "fn(s => s)"}}}')
    assert read_microservice_project(tmp_path / "project.json", {}).jobs[0].name == "a"


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("criteria: '{\"a\": 1}'", MicroserviceTrigger("t", "message", inclusion={"a": 1})),
        ("criteria: {a: 1}, exclude: '{\"b\": 2}'", MicroserviceTrigger("t", "message", inclusion={"a": 1}, exclusion={"b": 2})),
        ("criteria: ''", MicroserviceTrigger("t", "message")),
        ("cron: '*/5 * * * *', timezone: Africa/Nairobi", MicroserviceTrigger("t", "cron", cron="*/5 * * * *", timezone="Africa/Nairobi")),
        (
            "every: 2 weeks, anchor: 2026-01-05T09:00, timezone: UTC",
            MicroserviceTrigger("t", "interval", every="2 weeks", anchor="2026-01-05T09:00", timezone="UTC"),
        ),
        ("every: 3600, anchor: '2026-01-05T09:00'", MicroserviceTrigger("t", "interval", every="3600 seconds", anchor="2026-01-05T09:00")),
        ("success: b", MicroserviceTrigger("t", "success", source="b")),
        ("failure: b, type: catch", MicroserviceTrigger("t", "failure", source="b")),
        ("success: b, enabled: false", MicroserviceTrigger("t", "success", source="b", enabled=False)),
    ],
    ids=["text", "exclude", "blank", "cron", "interval", "seconds", "success", "type-beside", "off"],
)
def test_every_kind_of_trigger_is_read(tmp_path: Path, written: str, found: MicroserviceTrigger) -> None:
    assert job_of(tmp_path, written).trigger == found


@pytest.mark.parametrize(
    ("written", "what"),
    [
        ("type: message", "says neither"),
        ("cron: '* * * * *', success: b", "has cron and success"),
        ("criteria: '{broken'", "no JSON"),
        ("cron: ''", "empty"),
        ("every: 1 day", "anchor"),
    ],
    ids=["no-kind", "two-kinds", "bad-criteria", "empty", "no-anchor"],
)
def test_a_trigger_whose_meaning_is_not_clear_is_refused(tmp_path: Path, written: str, what: str) -> None:
    with pytest.raises(InputError, match=what):
        job_of(tmp_path, written)


@pytest.mark.parametrize(
    ("adaptor", "found"),
    [("", "@openfn/language-common"), ("language-http", "@openfn/language-http"), ("http@1.0.0", "http@1.0.0"), ("'@x/y'", "@x/y")],
    ids=["none", "short", "shorter", "scoped"],
)
def test_adaptors_may_be_short(tmp_path: Path, adaptor: str, found: str) -> None:
    assert read(tmp_path, f"jobs: {{a: {{expression: x(), adaptor: {adaptor}}}}}").jobs[0].adaptor == found


def test_a_trigger_that_is_not_there_makes_a_job_that_starts_by_hand(tmp_path: Path) -> None:
    found = read(tmp_path, "jobs: {a: {expression: x(), trigger: gone}, b: {expression: y()}}")
    assert [job.trigger.kind for job in found.jobs] == ["manual", "manual"]
    assert "named gone" in found.warnings[0]


def test_a_source_that_is_not_there_makes_a_job_that_starts_by_hand(tmp_path: Path) -> None:
    found = read(tmp_path, "jobs: {a: {expression: x(), trigger: t}}\ntriggers: {t: {success: gone}}")
    assert found.jobs[0].trigger.kind == "manual"
    assert "gone" in found.warnings[0]


def test_folded_code_with_a_comment_is_warned_about(tmp_path: Path) -> None:
    found = read(tmp_path, "jobs:\n  a:\n    expression: >\n      fn(s => s);\n      // the rest\n      fn(s => 2)\n")
    assert any("use | instead" in warning for warning in found.warnings)
    plain = read(tmp_path, "jobs: {a: {expression: \"get('https://x.org')\"}}")
    assert not any("use | instead" in warning for warning in plain.warnings)


def test_names_and_keys_that_may_surprise_are_warned_about(tmp_path: Path) -> None:
    found = read(tmp_path, "jobs: {'a job': {expression: x(), colour: red}}")
    assert any("safe in URLs" in warning for warning in found.warnings)
    assert any("colour" in warning for warning in found.warnings)


def test_a_job_may_be_switched_off(tmp_path: Path) -> None:
    assert read(tmp_path, "jobs: {a: {expression: x(), enabled: false}}").jobs[0].enabled is False


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("jobs: {}", "no jobs"),
        ("jobs: {a: {}}", "no expression"),
        ("jobs: {a: x()}", "no map"),
        ("jobs: {a: {expression: x()}}\ntriggers: []", "no map"),
        ("jobs: {a: {expression: 'https://x.org/a.js'}}", "nothing is fetched"),
        ("jobs: {a: {expression: 'uri://a.js'}}", "nothing is fetched"),
        ("workflows: {}", "generation v3"),
        ("jobs: [a", "Invalid YAML"),
    ],
    ids=["empty", "no-expression", "text", "triggers", "remote", "uri", "v3", "yaml"],
)
def test_what_cannot_be_served_is_refused(tmp_path: Path, text: str, what: str) -> None:
    with pytest.raises(InputError, match=what):
        read(tmp_path, text)


def test_files_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileMissing, match=r"gone\.js"):
        read(tmp_path, "jobs: {a: {expression: 'file://gone.js'}}")
    with pytest.raises(FileMissing, match=r"cred\.json"):
        read(tmp_path, "jobs: {a: {expression: x(), credential: c}}\ncredentials: {c: 'file://cred.json'}")
    with pytest.raises(FileMissing, match="there is no project file"):
        read_microservice_project(tmp_path / "no.yaml", {})


WITH_CREDENTIAL = "jobs: {a: {expression: x(), credential: my-dhis2}}\n"


def test_a_variable_goes_before_the_file(tmp_path: Path) -> None:
    text = WITH_CREDENTIAL + "credentials: {my-dhis2: {username: old}}"
    given = {"KIVUKO_CREDENTIAL_MY_DHIS2": '{"username": "u", "password": "p"}'}
    assert read(tmp_path, text, given).credentials == {"my-dhis2": BODY}
    assert read(tmp_path, text).credentials == {"my-dhis2": {"username": "old"}}


@pytest.mark.parametrize("credentials", ["", "credentials: {my-dhis2: {password: '******'}}"], ids=["missing", "placeholder"])
def test_a_credential_that_nobody_gives_is_named_with_its_variable(tmp_path: Path, credentials: str) -> None:
    with pytest.raises(InputError, match="KIVUKO_CREDENTIAL_MY_DHIS2"):
        read(tmp_path, WITH_CREDENTIAL + credentials)


@pytest.mark.parametrize("text", ["canary-secret", '["canary-secret"]'])
def test_a_credential_that_is_no_object_is_refused_without_being_shown(tmp_path: Path, text: str) -> None:
    with pytest.raises((InputError, InvalidJson)) as refused:
        read(tmp_path, WITH_CREDENTIAL, {"KIVUKO_CREDENTIAL_MY_DHIS2": text})
    assert "canary" not in str(refused.value) + refused.value.details
