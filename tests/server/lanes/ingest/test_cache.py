"""The configuration in memory: one read an address, and nobody is refused by what is out of date."""

from __future__ import annotations

import asyncio
import threading

from kivuko.records import new_id
from kivuko.server.lanes.ingest import ConfigurationCache, Entrance, Inbox, Webhook, api_key
from server.lanes.ingest.worlds import Source, World


def test_an_address_is_read_once(world: World) -> None:
    world.source.reads.clear()
    for _ in range(3):
        assert world.post(world.inbox_url, {}).status == 202
    assert world.source.reads == [world.secret]


def test_what_was_forgotten_is_read_again(world: World) -> None:
    world.post(world.inbox_url, {})
    world.source.inboxes.clear()
    assert world.post(world.inbox_url, {}).status == 202
    world.cache.forget()
    assert world.post(world.inbox_url, {}).status == 404


def test_a_new_inbox_works_although_it_was_just_asked_for_in_vain(world: World) -> None:
    inbox = world.source.inboxes.pop(world.secret)
    assert world.post(world.inbox_url, {}).status == 404
    world.source.inboxes[world.secret] = inbox
    world.clock_s += 1
    assert world.post(world.inbox_url, {}).status == 202


def test_a_new_key_works_at_once_on_every_node(world: World) -> None:
    world.enter_inbox(auth_methods=(api_key("old", "old"),))
    assert world.post(world.inbox_url, {}, {"x-api-key": "old"}).status == 202
    entrance = Entrance(world.project_id, (api_key("new", "new"),))
    world.source.inboxes[world.secret] = Inbox(world.inbox.id, entrance)
    world.clock_s += 1
    assert world.post(world.inbox_url, {}, {"x-api-key": "new"}).status == 202


def test_guessing_one_address_costs_one_read_a_second(world: World) -> None:
    world.source.reads.clear()
    url = f"/inbox/{new_id()}"
    for _ in range(10):
        world.post(url, {})
    assert len(world.source.reads) == 1
    world.clock_s += 1
    world.post(url, {})
    assert len(world.source.reads) == 2


class SlowSource(Source):
    """Answers when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.go = threading.Event(), threading.Event()

    def read_inbox(self, secret: str) -> Inbox | None:
        """Waits."""
        found = super().read_inbox(secret)
        self.asked.set()
        assert self.go.wait(10)
        return found


def test_many_requests_for_one_address_share_one_read() -> None:
    source = SlowSource()
    source.inboxes["x"] = inbox = Inbox(new_id(), Entrance(new_id()))

    async def many() -> list[Inbox | None]:
        cache = ConfigurationCache(source)
        asked = [asyncio.create_task(cache.inbox("x")) for _ in range(20)]
        await asyncio.to_thread(source.asked.wait, 10)
        asked[0].cancel()
        source.go.set()
        return await asyncio.gather(*asked[1:])

    assert asyncio.run(many()) == [inbox] * 19
    assert source.reads == ["x"]


def test_what_changes_while_it_is_read_is_read_again() -> None:
    source = SlowSource()

    async def changed_meanwhile() -> Inbox | None:
        cache = ConfigurationCache(source)
        first = asyncio.create_task(cache.inbox("x"))
        await asyncio.to_thread(source.asked.wait, 10)
        source.inboxes["x"] = Inbox(new_id(), Entrance(new_id()))
        cache.forget()
        source.go.set()
        assert await first is None
        return await cache.inbox("x")

    assert asyncio.run(changed_meanwhile()) is not None


def test_a_source_that_is_away_sends_senders_away_and_is_asked_again(world: World) -> None:
    world.cache.forget()
    world.source.away = True
    answer = world.post(world.inbox_url, {})
    assert (answer.status, answer.json["code"]) == (503, "database_unavailable")
    world.source.away = False
    assert world.post(world.inbox_url, {}).status == 202


def test_webhooks_have_a_shelf_of_their_own(world: World) -> None:
    found: Webhook | None = world.run(_webhook(world.cache, str(world.trigger_id)))
    assert found == world.webhook
    assert world.run(_inbox(world.cache, str(world.trigger_id))) is None


async def _inbox(cache: ConfigurationCache, secret: str) -> Inbox | None:
    return await cache.inbox(secret)


async def _webhook(cache: ConfigurationCache, address: str) -> Webhook | None:
    return await cache.webhook(address)
