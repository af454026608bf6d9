"""Ten jobs with the real collections adaptor against the collections API."""

from __future__ import annotations

import pytest

from systems.collections_api import TOKEN, CollectionsApi
from systems.job_run import RunJob

pytestmark = pytest.mark.network


def at(collections: CollectionsApi, token: str = TOKEN) -> tuple[str, ...]:
    """The flags that name the collections' server."""
    return ("--collections-endpoint", collections.server.url, "--collections-token", token)


def test_a_value_is_kept_and_taken_out(run: RunJob, collections: CollectionsApi) -> None:
    outcome = run("collections/01_set_and_get", {}, *at(collections))
    assert outcome.state == {"data": {"at": "2026-01-05T08:00:00Z", "count": 50}}
    assert collections.server.asked == ["POST /collections/settings", "GET /collections/settings/last-run"]
    assert collections.collections["settings"] == {"last-run": '{"at":"2026-01-05T08:00:00Z","count":50}'}


def test_a_list_is_kept_under_keys_of_its_own(run: RunJob, collections: CollectionsApi) -> None:
    patients = [{"card": f"NEW-{number}", "age": number} for number in range(1100)]
    outcome = run("collections/02_set_many", {"data": {"patients": patients}}, *at(collections))
    assert outcome.state == {"kept": 1100}
    assert [len(request.json()["items"]) for request in collections.server.requests] == [1000, 100]
    assert collections.collections["patients"]["NEW-7"] == '{"card":"NEW-7","age":7}'


def test_a_pattern_gets_all_that_fits(run: RunJob, collections: CollectionsApi) -> None:
    outcome = run("collections/03_get_pattern", {}, *at(collections))
    assert outcome.state == {"cards": ["KIB-1", "KIB-2"], "names": ["Amina", "Joseph"]}
    assert collections.server.asked == ["GET /collections/patients?key=KIB-*&limit=1000"]


def test_all_pages_are_fetched(run: RunJob, collections: CollectionsApi) -> None:
    outcome = run("collections/04_pages", {}, *at(collections))
    assert outcome.state == {"count": 5, "last": {"key": "LRD-5", "value": {"name": "Grace", "age": 4}}}
    assert [request.parameter("cursor") for request in collections.server.requests] == ["", "KIB-2", "LRD-4"]


def test_a_limit_ends_the_reading_and_leaves_a_cursor(run: RunJob, collections: CollectionsApi) -> None:
    outcome = run("collections/05_limit", {}, *at(collections))
    assert outcome.state == {"seen": ["KIB-1", "KIB-2", "NYO-3"], "cursor": "NYO-3"}
    assert collections.server.asked == ["GET /collections/patients?key=*&limit=3"]


def test_values_are_streamed_through_an_async_callback(run: RunJob, collections: CollectionsApi) -> None:
    outcome = run("collections/06_each_totals", {}, *at(collections))
    assert outcome.state == {"ages": {"under five": 3, "older": 2}}


def test_a_key_and_a_pattern_are_removed(run: RunJob, collections: CollectionsApi) -> None:
    outcome = run("collections/07_remove", {}, *at(collections))
    assert outcome.state == {"left": ["LRD-4", "LRD-5"]}
    assert collections.server.asked[:2] == ["DELETE /collections/patients/NYO-3", "DELETE /collections/patients?key=KIB-*"]


def test_a_missing_key_is_an_empty_object_and_a_warning(run: RunJob, collections: CollectionsApi) -> None:
    outcome = run("collections/08_missing_key", {}, *at(collections))
    assert outcome.state == {"data": {}, "since": "the beginning"}
    assert 'Collections: Key "never-set" not found in "settings"' in outcome.log


def test_an_unknown_collection_says_what_to_do(run: RunJob, collections: CollectionsApi) -> None:
    outcome = run("collections/09_unknown_collection", {}, *at(collections))
    assert (outcome.state["code"], outcome.state["what"]) == ("COLLECTION_NOT_FOUND", 'The collection "nowhere" does not exist')
    assert outcome.state["fix"].startswith("Make sure the collection name is correct")


def test_an_unknown_collection_that_nobody_caught_ends_the_job(run: RunJob, collections: CollectionsApi) -> None:
    outcome = run("collections/11_uncaught", {}, *at(collections))
    error = outcome.state["errors"]["job-1"]
    assert (outcome.exit_code, error["name"], error["severity"], error["message"]) == (0, "AdaptorError", "fail", "COLLECTION_NOT_FOUND")
    assert "Make sure the collection name is correct" in error["details"]["fix"]


def test_only_what_is_new_is_read_and_the_mark_moves(run: RunJob, collections: CollectionsApi) -> None:
    collections.collections["settings"]["mark"] = '{"until":"2026-01-05T00:00:00Z"}'
    for key, created in (("e1", "2026-01-04T10:00:00Z"), ("e2", "2026-01-05T09:00:00Z"), ("e3", "2026-01-05T11:00:00Z")):
        collections.collections["events"][key] = "1"
        collections.created["events", key] = created
    outcome = run("collections/10_incremental", {"now": "2026-01-06T00:00:00Z"}, *at(collections))
    assert outcome.state == {"fresh": ["e2", "e3"], "mark": "2026-01-06T00:00:00Z"}
    assert collections.server.requests[1].parameter("created_after") == "2026-01-05T00:00:00Z"


def test_a_wrong_token_is_an_error_that_does_not_show_it(run: RunJob, collections: CollectionsApi) -> None:
    outcome = run("collections/01_set_and_get", {}, *at(collections, "not-the-token"))
    assert outcome.state["errors"]["job-1"]["name"] == "AdaptorError"
    assert "Unauthorized" in outcome.state["errors"]["job-1"]["message"]
    assert "not-the-token" not in outcome.log
