"""The log of an Attempt as it grows."""

from __future__ import annotations

import asyncio

import pytest

from kivuko.records import new_id
from kivuko.records.database import Database
from server.lanes.live.theatre import Event, Reader, Theatre


async def rest(reader: Reader) -> list[Event]:
    """All events up to the end of the stream."""
    found = []
    while (event := await reader.next()).name != "EOF":
        found.append(event)
    return found


def path_of(attempt_id: object) -> str:
    """The stream of a log."""
    return f"/api/v1/attempts/{attempt_id}/log/stream"


def test_lines_come_as_they_are_written_then_the_end(theatre: Theatre) -> None:
    async def play() -> None:
        await theatre.accept()
        taken = await theatre.claim()
        await theatre.log(taken, "one")
        reader = theatre.open(path_of(taken.attempt_id))
        first = await reader.next()
        assert (first.event_id, first.name) == ("1", "message")
        assert first.data == {
            "seq": 1,
            "run_id": None,
            "level": "info",
            "source": "JOB",
            "at": "2023-11-14T22:13:20.000000Z",
            "message": "one",
        }
        await theatre.log(taken, "two", "three")
        await theatre.end(taken)
        events = await rest(reader)
        assert [event.data.get("message") for event in events] == ["two", "three", None]
        assert (events[-1].name, events[-1].data, events[-1].event_id) == ("end", {"state": "success"}, "3")

    theatre.run(play())


@pytest.mark.parametrize(("query", "headers"), [("", {"last_event_id": "2"}), ("?after_seq=2", {}), ("?last_event_id=2", {})])
def test_a_stream_goes_on_exactly_where_it_stopped(theatre: Theatre, query: str, headers: dict[str, str]) -> None:
    async def play() -> None:
        await theatre.accept()
        taken = await theatre.claim()
        await theatre.log(taken, *"abcd")
        await theatre.end(taken)
        events = await rest(theatre.open(path_of(taken.attempt_id) + query, **headers))
        assert [event.data.get("message") for event in events] == ["c", "d", None]

    theatre.run(play())


def test_a_long_log_comes_whole(theatre: Theatre) -> None:
    async def play() -> None:
        await theatre.accept()
        taken = await theatre.claim()
        for start in range(0, 1_200, 200):
            await theatre.log(taken, *(str(at) for at in range(start, start + 200)))
        await theatre.end(taken)
        events = await rest(theatre.open(path_of(taken.attempt_id)))
        assert [event.data["message"] for event in events[:-1]] == [str(at) for at in range(1_200)]

    theatre.run(play())


def test_a_line_break_or_any_character_stays_in_its_line(theatre: Theatre) -> None:
    async def play() -> None:
        await theatre.accept()
        taken = await theatre.claim()
        await theatre.log(taken, "a\nb\r\n\u2028é\x00")
        await theatre.end(taken)
        events = await rest(theatre.open(path_of(taken.attempt_id)))
        assert events[0].data["message"] == "a\nb\r\n\u2028é\ufffd"

    theatre.run(play())


def test_what_another_node_writes_is_seen_by_looking(database: Database) -> None:
    theatre = Theatre(database, look_every_s=0.02)

    async def play() -> None:
        await theatre.accept()
        taken = await theatre.claim()
        reader = theatre.open(path_of(taken.attempt_id))
        theatre.changes.heard = lambda changes: None  # type: ignore[method-assign]
        await theatre.log(taken, "from afar")
        assert (await reader.next()).data["message"] == "from afar"
        await reader.leave()

    theatre.run(play())
    theatre.close()


def test_an_attempt_that_is_not_there_or_anothers_is_404(theatre: Theatre) -> None:
    async def other() -> object:
        return (await theatre.accept(new_id()))[1]

    for attempt in (new_id(), theatre.run(other()), "nothing"):
        answer = theatre.refused("GET", path_of(attempt), authorization="Bearer ada")
        assert (answer.status, answer.json["code"]) == (404, "not_found")


def test_a_number_that_is_none_is_refused(theatre: Theatre) -> None:
    async def attempt() -> object:
        return (await theatre.accept())[1]

    answer = theatre.refused("GET", path_of(theatre.run(attempt())) + "?after_seq=x", authorization="Bearer ada")
    assert answer.status == 422


def test_who_leaves_is_forgotten(theatre: Theatre) -> None:
    async def play() -> None:
        await theatre.accept()
        taken = await theatre.claim()
        await theatre.log(taken, "one")
        reader = theatre.open(path_of(taken.attempt_id))
        await reader.next()
        await reader.leave()
        assert theatre.tails._waiting == {}
        assert asyncio.all_tasks() == {asyncio.current_task()}

    theatre.run(play())
