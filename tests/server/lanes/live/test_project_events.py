"""What changes in a project, as server-sent events."""

from __future__ import annotations

import asyncio

import pytest

from kivuko.records import Change, Id, new_id
from kivuko.records.database import Database
from server.lanes.live.theatre import Event, Reader, Theatre


async def until(reader: Reader, kind: str, state: str | None) -> Event:
    """The first event of this kind and state."""
    while True:
        event = await reader.next()
        if event.data and event.data.get("kind") == kind and event.data["state"] == state:
            return event


async def opened(theatre: Theatre, path: str = "", **headers: str) -> Reader:
    """A reader whose page is in place."""
    reader = theatre.open(path or theatre.events_path, **headers)
    async with asyncio.timeout(20):
        while reader.status == 0:
            await asyncio.sleep(0)  # paced: until the answer has begun
    return reader


def test_a_message_and_what_it_starts_are_told_with_their_states(theatre: Theatre) -> None:
    async def play() -> None:
        reader = await opened(theatre)
        message_id, attempt_id = await theatre.accept()
        told = {event.data["kind"]: event.data for event in [await reader.next(), await reader.next()]}
        assert told["message"]["id"] == str(message_id)
        assert told["message"]["at"].endswith("Z")
        assert told["work_order"]["state"] == "pending"
        taken = await theatre.claim()
        await theatre.end(taken)
        assert (await until(reader, "attempt", "success")).data["id"] == str(attempt_id)
        assert (await until(reader, "work_order", "success")).data["kind"] == "work_order"
        await reader.leave()

    theatre.run(play())


def test_only_the_topics_that_were_asked_for_are_told(theatre: Theatre) -> None:
    async def play() -> None:
        reader = await opened(theatre, theatre.events_path + "?topics=attempts&topics=workflows")
        await theatre.accept()
        await theatre.end(await theatre.claim())
        await until(reader, "attempt", "success")
        message_id, _ = await theatre.accept()
        await theatre.claim()
        assert (await reader.next()).data["kind"] == "attempt"
        await reader.leave()
        assert message_id

    theatre.run(play())


def test_other_projects_are_not_told(theatre: Theatre) -> None:
    async def play() -> None:
        reader = await opened(theatre, theatre.events_path + "?topics=messages")
        await theatre.accept(new_id())
        message_id, _ = await theatre.accept()
        assert (await reader.next()).data["id"] == str(message_id)
        await reader.leave()

    theatre.run(play())


def test_a_page_that_was_away_hears_what_it_missed(theatre: Theatre) -> None:
    async def play() -> None:
        path = theatre.events_path + "?topics=messages"
        reader = await opened(theatre, path)
        await theatre.accept()
        seen = await reader.next()
        await reader.leave()
        missed = [(await theatre.accept())[0] for _ in range(2)]
        again = await opened(theatre, path, last_event_id=seen.event_id or "")
        assert [(await again.next()).data["id"] for _ in missed] == [str(each) for each in missed]
        await again.leave()

    theatre.run(play())


def test_a_page_that_was_away_too_long_has_to_read_again(theatre: Theatre) -> None:
    async def play() -> None:
        reader = await opened(theatre, last_event_id="another-7")
        reset = await reader.next()
        assert (reset.name, reset.event_id) == ("reset", theatre.feed.ring.last_name)
        message_id, _ = await theatre.accept()
        assert (await until(reader, "message", None)).data["id"] == str(message_id)
        await reader.leave()

    theatre.run(play())


def test_a_gap_in_the_changes_of_other_nodes_resets_every_page(theatre: Theatre) -> None:
    async def play() -> None:
        reader = await opened(theatre)
        theatre.changes.missed()
        assert (await reader.next()).name == "reset"
        await reader.leave()

    theatre.run(play())


def test_a_page_that_reads_too_slowly_loses_what_waits_and_is_told(theatre: Theatre) -> None:
    async def play() -> None:
        page = await theatre.feed.open(theatre.project_id, ["message"], None)
        theatre.changes.heard([Change("message", theatre.project_id, new_id()) for _ in range(1_500)])
        async with asyncio.timeout(20):
            while not theatre.counts.dropped_:
                await page.changed.wait()
                await asyncio.sleep(0)  # paced: until the feed has counted
        assert page.take("x-1").startswith(b"id: x-1\nevent: reset\n")
        assert page.take("x-1") == b""

    theatre.run(play())


def test_a_reader_that_takes_nothing_at_all_is_cut(database: Database) -> None:
    theatre = Theatre(database, send_within_s=0.05)

    async def play() -> None:
        reader = await opened(theatre)
        reader.stalled = True
        await theatre.accept()
        async with asyncio.timeout(20):
            await reader.task
        assert (theatre.counts.dropped_, theatre.counts.closed_) == (1, 1)

    theatre.run(play())
    theatre.close()


def test_silence_is_broken_by_a_comment(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kivuko.server.lanes.live.lane._LOOK_EVERY_S", 0.01)
    theatre = Theatre(database, awake_every_s=0.02)

    async def play() -> None:
        reader = await opened(theatre)
        assert (await reader.next()).comment == "awake"
        await reader.leave()

    theatre.run(play())
    theatre.close()


def test_who_is_no_member_any_more_sees_no_more(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kivuko.server.lanes.live.lane._LOOK_EVERY_S", 0.01)
    theatre = Theatre(database, check_every_s=0.01)

    async def play() -> None:
        reader = await opened(theatre)
        theatre.members.clear()
        assert (await reader.next()).name == "EOF"

    theatre.run(play())
    theatre.close()


def test_streams_end_when_the_server_stops_and_none_begins(theatre: Theatre) -> None:
    async def play() -> None:
        reader = await opened(theatre)
        theatre.streaming.ending.set()
        assert (await reader.next()).name == "EOF"
        await reader.task

    theatre.run(play())
    answer = theatre.refused("GET", theatre.events_path, authorization="Bearer ada")
    assert (answer.status, answer.json["code"]) == (503, "shutting_down")


def test_streams_are_counted(theatre: Theatre) -> None:
    async def play() -> None:
        readers = [await opened(theatre) for _ in range(3)]
        assert theatre.counts.opened_ == 3
        for reader in readers:
            await reader.leave()
        assert theatre.counts.closed_ == 3

    theatre.run(play())


def test_a_ticket_opens_one_stream(theatre: Theatre) -> None:
    async def play() -> None:
        reader = await opened(theatre, theatre.events_path + "?ticket=t", authorization="")
        assert reader.status == 200
        await reader.leave()

    theatre.run(play())
    assert theatre.refused("GET", theatre.events_path + "?ticket=t").status == 401


def test_who_is_not_signed_in_is_told_so(theatre: Theatre) -> None:
    answer = theatre.refused("GET", theatre.events_path)
    assert (answer.status, answer.json["code"]) == (401, "unauthenticated")


@pytest.mark.parametrize("path", [f"/api/v1/projects/{new_id()}/events", "/api/v1/projects/nothing/events"], ids=["other", "no-id"])
def test_anothers_project_answers_as_one_that_does_not_exist(theatre: Theatre, path: str) -> None:
    answer = theatre.refused("GET", path, authorization="Bearer ada")
    assert (answer.status, answer.json["code"]) == (404, "not_found")


def test_a_member_of_nothing_finds_nothing(theatre: Theatre) -> None:
    assert theatre.refused("GET", theatre.events_path, authorization="Bearer eve").status == 404


def test_a_topic_that_is_none_is_refused(theatre: Theatre) -> None:
    answer = theatre.refused("GET", theatre.events_path + "?topics=messages,rnus", authorization="Bearer ada")
    assert (answer.status, answer.json["code"]) == (422, "validation_failed")
    assert "rnus" in answer.json["detail"]


def test_another_method_is_not_allowed(theatre: Theatre) -> None:
    assert theatre.refused("POST", theatre.events_path).status == 405


def test_states_are_read_once_for_all_pages_and_changes_are_folded(theatre: Theatre) -> None:
    async def play() -> list[Event]:
        reader = await opened(theatre, theatre.events_path + "?topics=messages")
        same: Id = new_id()
        theatre.changes.heard([Change("message", theatre.project_id, same)] * 5 + [Change("message", theatre.project_id, new_id())])
        found = [await reader.next(), await reader.next()]
        await reader.leave()
        return found

    assert len({event.data["id"] for event in theatre.run(play())}) == 2
