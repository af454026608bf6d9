"""What a person was told."""

from __future__ import annotations

from kivuko.platform.notifications.models import Notification
from kivuko.records import Id, new_id
from platform_api.world import World


def told(world: World, user_id: Id | None, title: str) -> str:
    ids = {"user_id": user_id, "project_id": world.project.id, "notice_id": new_id(), "subject_id": new_id()}
    row = Notification.objects.create(**ids, kind="run_failed", title=title, text="…", link="…")
    return str(row.id)


def test_people_read_what_they_were_told_and_nobody_elses(small_world: World) -> None:
    first, second = (told(small_world, small_world.place.admin.user_id, title) for title in ("one", "two"))
    other = told(small_world, small_world.place.user("other@example.org").user_id, "three")
    assert [each["title"] for each in small_world.api.get("notifications?unread=true")["items"]] == ["two", "one"]
    at = small_world.api.post(f"notifications/{first}/read")["read_at"]
    assert small_world.api.post(f"notifications/{first}/read")["read_at"] == at != None  # noqa: E711
    assert [each["id"] for each in small_world.api.get(f"notifications?unread=true&project_id={small_world.id}")["items"]] == [second]
    assert [each["id"] for each in small_world.api.get("notifications?unread=false&count=true")["items"]] == [first]
    assert small_world.api.ask("POST", f"notifications/{other}/read").status == 404
