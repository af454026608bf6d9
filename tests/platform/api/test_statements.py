"""A list page costs the same number of statements however long it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from kivuko.records.sqlite import SqliteConnection
from platform_api.world import World

LISTS = (
    "projects/{id}/messages", "projects/{id}/messages?job_state=success&count=true", "projects/{id}/runs",
    "projects/{id}/runs?state=success",
    "projects/{id}/work_orders", "projects/{id}/workflows", "projects/{id}/inboxes", "projects/{id}/credentials", "projects/{id}/summary",
    "projects", "tokens", "me", "workers",
)  # fmt: skip


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How many statements the records have executed so far."""
    seen: list[str] = []
    execute = SqliteConnection._execute

    def counting(self: SqliteConnection, text: str, values: object = ()) -> object:
        seen.append(text)
        return execute(self, text, values)

    monkeypatch.setattr(SqliteConnection, "_execute", counting)
    return lambda: len(seen)


@contextmanager
def statements(counted: Callable[[], int], into: dict[str, int], path: str) -> Iterator[None]:
    before = counted()
    with CaptureQueriesContext(connection) as orm:
        yield
    into[path] = counted() - before + len(orm)


def test_a_long_page_costs_what_a_short_one_costs(small_world: World, counted: Callable[[], int]) -> None:
    short, long = dict[str, int](), dict[str, int]()

    def grow(names: tuple[str, ...], messages: int) -> None:
        for name in names:
            small_world.workflow(name)
            small_world.api.post(f"projects/{small_world.id}/credentials", {"name": name, "body": {}})
            small_world.api.post(f"projects/{small_world.id}/inboxes", {"name": name})
            small_world.api.post("projects", {"name": f"p-{name.lower()}"})
        for n in range(messages):
            small_world.message({"n": n})
        small_world.work()

    for names, messages, into in ((("A",), 1, short), (("B", "C", "D"), 9, long)):
        grow(names, messages)
        for path in LISTS:
            with statements(counted, into, path):
                listed = small_world.api.get(path.format(id=small_world.id))
            assert "items" not in listed or listed["items"]
    assert long == short
    assert max(short.values()) <= 10
