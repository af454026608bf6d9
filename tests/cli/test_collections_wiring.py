"""Jobs that use collections get what they need."""

from __future__ import annotations

import io

from kivuko.cli.collections_wiring import CollectionsAccess, wire_collections
from kivuko.cli.log import Log
from kivuko.cli.log_option import parse_log_option
from kivuko.workflow import ExecutionPlan, Job, Workflow

USING = "collections.get('c', 'k')"


def wired(job: Job, access: CollectionsAccess) -> tuple[Job, str]:
    stream = io.StringIO()
    plan = wire_collections(ExecutionPlan(Workflow((job,))), access, Log(parse_log_option("info"), stream=stream))
    return plan.workflow.jobs[0], stream.getvalue()


def test_the_adaptor_address_and_token_are_added() -> None:
    access = CollectionsAccess("https://x.org/", "0123456789abcdefghij", "1.0.0")
    job, said = wired(Job("a", USING, adaptors=("common",), configuration={"user": "bob"}), access)
    assert job.adaptors == ("common", "@openfn/language-collections@1.0.0")
    assert job.configuration == {
        "user": "bob",
        "collections_endpoint": "https://x.org/collections",
        "collections_token": "0123456789abcdefghij",
    }
    assert "API Key ending with ghij" in said
    assert "0123456789" not in said


def test_nothing_of_a_short_token_is_shown() -> None:
    _, said = wired(Job("a", USING), CollectionsAccess("https://x.org", "shorttoken"))
    assert "token" not in said
    assert "API Key ending with" in said


def test_without_a_token_the_text_null_is_sent_and_a_warning_says_so() -> None:
    job, said = wired(Job("a", USING), CollectionsAccess("https://x.org"))
    assert isinstance(job.configuration, dict)
    assert job.configuration["collections_token"] == "null"
    assert "OPENFN_API_KEY" in said


def test_a_job_that_uses_none_or_has_the_adaptor_stays_as_it_is() -> None:
    access = CollectionsAccess("https://x.org", "t")
    for job in (
        Job("a", "fn(s => s)"),
        Job("a", USING, adaptors=("@openfn/language-collections@0.8.0",)),
        Job("a", "fn('my collections')"),
    ):
        assert wired(job, access) == (job, "")
