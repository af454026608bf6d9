"""Messages: lists with their filters, one message, its versions and bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from kivuko.platform.api.context import platform, use
from kivuko.records import Id, Part, WipeBodies
from platform_api.world import World


def ids(world: World, query: str) -> list[int]:
    """The ``n`` of the messages that a list has."""
    listed = world.api.get(f"projects/{world.id}/messages?{query}")["items"]
    return [world.api.get(f"messages/{each['id']}/body")["n"] for each in listed]


def test_lists_have_no_bodies_and_single_messages_a_preview(small_world: World) -> None:
    made = small_world.message({"text": "é" * 2000})
    (listed,) = small_world.api.get(f"projects/{small_world.id}/messages")["items"]
    assert "body" not in listed
    assert made["body"]["preview"] == '{"text": "' + "\\u00e9" * 169
    assert (made["body"]["size_bytes"], made["body"]["wiped"], made["size_bytes"]) == (12012, False, 12012)
    assert made["request"]["method"] == "POST"
    assert [(each["version"], each["author"]) for each in made["versions"]] == [(1, "admin@example.org")]


def test_filters_narrow_the_list(world: World) -> None:
    good, bad = world.workflow("Good", {"for": "good"}), world.workflow("Bad", {"for": "bad"})
    for n, name in enumerate(("good", "bad", "nobody", "bad")):
        world.message({"n": n, "for": name})
    world.work(fails=[bad["jobs"][0]["id"]])
    world.message({"n": 4, "for": "good"})
    assert ids(world, "") == [4, 3, 2, 1, 0]
    assert ids(world, "job_state=failure") == [3, 1]
    assert ids(world, "job_state=success") == [0]
    assert ids(world, "job_state=in%20progress") == [4]
    assert ids(world, "job_state=failure&job_state=in%20progress&limit=2") == [4, 3]
    assert ids(world, f"job_id={good['jobs'][0]['id']}") == [4, 0]
    assert ids(world, f"job_id={good['jobs'][0]['id']}&job_state=failure") == []
    assert ids(world, f"trigger_id={bad['triggers'][0]['id']}") == [3, 1]
    assert ids(world, f"trigger_id={bad['triggers'][0]['id']}&job_state=failure&limit=1") == [3]
    assert ids(world, f"inbox_id={world.inbox['id']}&job_state=failure") == [3, 1]
    assert ids(world, f"inbox_id={world.id}") == []


def test_times_bound_the_list_from_the_first_on_and_up_to_the_second(world: World) -> None:
    at = [world.message({"n": n})["received_at"] for n in range(3)]
    assert ids(world, f"received_after={at[1]}") == [2, 1]
    assert ids(world, f"received_before={at[1]}") == [0]
    assert ids(world, f"received_after={at[0]}&received_before={at[2]}") == [1, 0]
    assert ids(world, "received_after=2020-01-01T02:00:00%2B02:00&received_before=2021-01-01T00:00:00Z") == []


def test_pages_follow_each_other_whatever_the_filter(world: World) -> None:
    world.workflow("Good")
    for n in range(5):
        world.message({"n": n})
    for query in ("", "job_state=in%20progress"):
        cursor, seen = "", []
        while cursor is not None:
            page = world.api.get(f"projects/{world.id}/messages?limit=2&count=true&{query}" + (f"&cursor={cursor}" if cursor else ""))
            seen += [each["id"] for each in page["items"]]
            cursor = page["next_cursor"]
        assert len(seen) == 5
        assert seen == sorted(seen, reverse=True)


class Words:
    """Finds messages whose body holds a text, as the index would."""

    def __init__(self, found: list[Id]) -> None:
        self.found = found

    def messages(self, project_id: Id, text: str, before: Id | None = None, *, headers: bool = False) -> Iterator[Id]:
        return iter([each for each in self.found if before is None or each < before])

    def runs(self, project_id: Id, text: str, before: Id | None = None) -> Iterator[Id]:
        return self.messages(project_id, text, before)


def test_a_text_and_other_filters_hold_together(world: World) -> None:
    flow = world.workflow("Good", {"good": True})
    made = [world.message({"n": n, "good": n % 2 == 0}) for n in range(6)]
    use(replace(platform(), finder=Words([Id.parse(each["id"]) for each in reversed(made)])))
    assert ids(world, "q=x") == [5, 4, 3, 2, 1, 0]
    assert ids(world, f"q=x&job_id={flow['jobs'][0]['id']}") == [4, 2, 0]
    page = world.api.get(f"projects/{world.id}/messages?q=x&limit=2&count=true&job_id={flow['jobs'][0]['id']}")
    assert (len(page["items"]), page["count"]) == (2, 3)
    assert (
        len(world.api.get(f"projects/{world.id}/messages?q=x&limit=2&cursor={page['next_cursor']}&job_state=in%20progress")["items"]) == 1
    )
    assert len(world.api.get(f"projects/{world.id}/work_orders?q=x")["items"]) == 3


def test_a_text_where_nothing_is_indexed_is_refused(small_world: World) -> None:
    assert small_world.api.ask("GET", f"projects/{small_world.id}/messages?q=x").json["errors"].keys() == {"q"}


def test_all_jobs_that_match_now_are_named_on_or_off(small_world: World) -> None:
    flow = small_world.workflow("Referral", {"form": {}})
    off = small_world.workflow("Switched off", {"form": {}}, enabled=False)
    small_world.workflow("Other", {"other": {}})
    made = small_world.message({"form": {"a": 1}})
    assert [(match["job_name"], match["enabled"]) for match in made["matches"]] == [("Referral", True), ("Switched off", False)]
    assert [each["job_name"] for each in made["job_states"]] == ["Referral"]
    started = small_world.api.post(f"messages/{made['id']}/runs", {"job_id": off["jobs"][0]["id"]})
    assert small_world.api.get(f"runs/{started['run_id']}")["run_number"] == 2
    small_world.api.ask("PATCH", f"workflows/{flow['id']}", {"triggers": [{**flow["triggers"][0], "inclusion": {"no": 1}}]})
    assert [match["job_name"] for match in small_world.api.get(f"messages/{made['id']}")["matches"]] == ["Switched off"]


def test_versions_are_kept_beside_each_other(world: World) -> None:
    path = f"messages/{world.message({'n': 1})['id']}"
    answer = world.api.ask("POST", f"{path}/versions", b'{"body": {"n": 2.50, "id": 12345678901234567890123}}')
    assert (answer.status, answer.json) == (201, {"version": 2})
    assert world.api.ask("GET", f"{path}/body").body == b'{"n": 2.50, "id": 12345678901234567890123}'
    assert world.api.get(f"{path}/body?version=1") == {"n": 1}
    assert [each["version"] for each in world.api.get(path)["versions"]] == [1, 2]
    assert world.api.ask("GET", f"{path}/body?version=3").code == "not_found"
    assert world.api.ask("GET", f"{path}/body?version=0").code == "validation_failed"


def test_bytes_come_whole_in_parts_or_not_again(small_world: World) -> None:
    path = f"messages/{small_world.message({'n': 12345})['id']}/body"
    whole = small_world.api.ask("GET", path)
    assert whole.body == b'{"n": 12345}'
    assert whole.headers["Content-Disposition"].startswith("attachment; filename=")
    assert whole.headers["Accept-Ranges"] == "bytes"
    for asked, status, body in (
        ("bytes=0-3", 206, b'{"n"'), ("bytes=6-", 206, b"12345}"), ("bytes=-3", 206, b"45}"), ("bytes=6-99", 206, b"12345}"),
        ("bytes=3-1", 416, None), ("bytes=99-", 416, None), ("bytes=-", 200, whole.body), ("lines=1-2", 200, whole.body),
    ):  # fmt: skip
        part = small_world.api.ask("GET", path, headers={"Range": asked})
        assert part.status == status, asked
        assert body is None or part.body == body, asked
    assert small_world.api.ask("GET", path, headers={"Range": "bytes=0-3"}).headers["Content-Range"] == "bytes 0-3/12"
    assert small_world.api.ask("GET", path, headers={"Range": "bytes=99-"}).headers["Content-Range"] == "bytes */12"
    assert small_world.api.ask("GET", path, headers={"If-None-Match": whole.headers["ETag"]}).status == 304
    assert small_world.api.ask("GET", path, headers={"Range": "bytes=0-3", "If-Range": '"other"'}).status == 200


def test_a_wiped_body_is_gone_and_is_said_to_be(small_world: World) -> None:
    small_world.workflow()
    made = small_world.message({"n": 1})
    small_world.work()
    small_world.records.submit(WipeBodies(small_world.project.id, Part.MESSAGES, Id(b"\xff" * 16))).result(20)
    found = small_world.api.get(f"messages/{made['id']}")
    assert (found["body"]["wiped"], found["body"]["preview"], found["matches"]) == (True, None, [])
    (run,) = small_world.api.get(f"messages/{made['id']}/runs")["items"]
    for path in (f"messages/{made['id']}/body", f"runs/{run['id']}/input"):
        assert (small_world.api.ask("GET", path).status, small_world.api.ask("GET", path).code) == (410, "wiped")
    small_world.later()
    refused = small_world.api.ask("POST", f"runs/{run['id']}/rerun", {})
    assert (refused.status, refused.code) == (410, "wiped")


def test_a_message_by_hand_needs_an_inbox_of_the_project_and_keeps_no_secrets(small_world: World) -> None:
    path = f"projects/{small_world.id}/messages"
    answer = small_world.api.ask("POST", path, {"inbox_id": small_world.id, "body": 1})
    assert list(answer.json["errors"]) == ["inbox_id"]
    made = small_world.api.post(path, {"inbox_id": small_world.inbox["id"], "body": None, "headers": {"X-Form": "a", "Authorization": "b"}})
    assert made["request"]["headers"] == {"x-form": "a"}
    assert made["body"]["preview"] == "null"


def test_a_filter_is_previewed_on_the_newest_messages(small_world: World) -> None:
    for n in range(5):
        small_world.message({"n": n, "even": n % 2 == 0})
    asked = {"inbox_id": small_world.inbox["id"], "inclusion": {"even": True}, "exclusion": '{"n": 2}'}
    found = small_world.api.post("filters/preview", asked)
    assert (len(found["items"]), found["looked_at"]) == (2, 5)
    assert small_world.api.post("filters/preview", {**asked, "limit": 1})["looked_at"] == 1
    answer = small_world.api.ask("POST", "filters/preview", {**asked, "inclusion": "{", "exclusion": "]"})
    assert list(answer.json["errors"]) == ["inclusion", "exclusion"]
