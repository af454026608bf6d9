"""One worker's connection, whatever carries it: topics, the queue, who holds which Attempt (worker-protocol §4-7, 14)."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import Executor, Future
from typing import Protocol

from kivuko.errors import RecordsError
from kivuko.records import FOREIGN_LEASE_US, JOIN_WITHIN_US, LEASE_US, Claim, Claimed, Held, Id, Needs, Register, Renew, Renewal, Worker
from kivuko.server.lanes.workers.attempt_channel import AttemptChannel
from kivuko.server.lanes.workers.channel import Inline
from kivuko.server.lanes.workers.desk import Desk
from kivuko.server.lanes.workers.identity import Identity, Peer
from kivuko.server.lanes.workers.payloads import Payload, number_of, text_of
from kivuko.server.lanes.workers.reply import Reply, answer, ok, refusal, refused, settled
from kivuko.server.lanes.workers.slots import Slots

__all__ = ["HEARTBEAT_S", "QUEUE", "Conversation", "Push"]

QUEUE = "worker:queue"
HEARTBEAT_S = 1
_REJOINS_WITHIN_S = 2.0
_FOREIGN_REST_US = 60_000_000
_MOST_AT_ONCE = 256
_KINDS = {"javascript": Needs.JAVASCRIPT, "python": Needs.PYTHON}


class Push(Protocol):
    """Sends a message to the worker; may be called on any thread, and must be quick."""

    def __call__(self, topic: str, event: str, payload: Mapping[str, object], join_ref: str | None = None) -> None: ...


class Conversation:
    """What a worker says is answered by futures. All of it may be called on any thread.

    ``inline``: what takes time is done on the calling thread (the worker in the same process has threads of its own).
    """

    def __init__(self, desk: Desk, push: Push, identity: Identity, *, inline: bool = False) -> None:
        self.identity = identity
        self._desk = desk
        self._push = push
        self._executor: Executor = Inline() if inline else desk.pool
        self._guard = threading.Lock()
        self._peer: Peer | None = None
        self._queue_ref: str | None = None
        self._channels: dict[Id, tuple[str | None, AttemptChannel]] = {}
        self._slots = Slots(desk.monotonic_s)
        self._offered = False
        self._closed = False

    def receive(self, topic: str, join_ref: str | None, event: str, payload: Payload) -> Future[Reply]:
        """Handles a message; its answer."""
        try:
            return self._receive(topic, join_ref, event, payload)
        except RecordsError as error:
            return settled(refusal(error))

    def _receive(self, topic: str, join_ref: str | None, event: str, payload: Payload) -> Future[Reply]:
        if topic == QUEUE:
            return self._queue(join_ref, event, payload)
        if topic == "phoenix" and event == "heartbeat":
            self._renew_foreign()
            return settled(ok({}))
        kind, _, name = topic.partition(":")
        try:
            attempt_id = Id.parse(name) if kind == "run" else None
        except ValueError:
            attempt_id = None
        if attempt_id is None:
            return settled(refused("not_found" if kind == "run" else "unmatched topic"))
        return self._run(topic, attempt_id, join_ref, event, payload)

    def closed(self) -> None:
        """The connection is gone. That is not the worker's death: its leases decide."""
        with self._guard:
            if self._closed:
                return
            self._closed = True
            channels = [channel for _, channel in self._channels.values()]
        self._desk.leave(self)
        if self._peer and self._peer.foreign:
            self._shorten(channels)

    def offer(self) -> None:
        """Tells the worker that there is work, once until it claims; not when it has no free slot."""
        with self._guard:
            if self._closed or self._queue_ref is None or self._offered or self._free() <= 0:
                return
            self._offered = True
        self._push(QUEUE, "work-available", {}, self._queue_ref)

    def cancel(self, attempt_id: Id) -> None:
        """Asks the worker to stop an Attempt; OpenFn's ignores it."""
        found = self._channels.get(attempt_id)
        if found is not None and found[1].joined:
            self._push(f"run:{attempt_id}", "run:cancel", {}, found[0])

    # The queue

    def _queue(self, join_ref: str | None, event: str, payload: Payload) -> Future[Reply]:
        if event == "phx_join":
            return self._enter(join_ref, payload)
        if event == "phx_leave":
            return self._leave_queue(join_ref)
        peer = self._peer
        if peer is None:
            return settled(refused("unauthorized"))
        if event == "claim":
            return self._claim(peer, payload)
        if event == "heartbeat" and not peer.foreign:
            return self._heartbeat(payload)
        return settled(refused("unknown_event"))

    def _enter(self, join_ref: str | None, payload: Payload) -> Future[Reply]:
        peer = _peer_of(payload, self.identity)
        with self._guard:
            replaced, self._queue_ref = self._queue_ref, join_ref or ""
            self._peer = peer
            self._offered = False
        if replaced and replaced != join_ref:
            self._push(QUEUE, "phx_close", {}, replaced)
        now_us, slots = self._desk.services.now_us(), peer.capacity
        worker = Worker(self.identity.key, peer.name, peer.version, peer.kinds, int(peer.foreign), slots, slots, now_us)
        future: Future[Reply] = Future()

        def entered(_: None) -> Reply:
            self._desk.enter(self)
            return ok({} if peer.foreign else {"heartbeat_s": HEARTBEAT_S, "lease_s": LEASE_US // 1_000_000, "ends": True})

        answer(future, self._desk.services.records.submit(Register(worker)), entered)
        return future

    def _leave_queue(self, join_ref: str | None) -> Future[Reply]:
        with self._guard:
            # Reconnecting, OpenFn's worker leaves its first join and joins again in the same millisecond (worker-protocol §4).
            if self._queue_ref == (join_ref or ""):
                self._queue_ref = None
        return settled(ok({}))

    def _claim(self, peer: Peer, payload: Payload) -> Future[Reply]:
        with self._guard:
            self._offered = False
        demand = max(1, min(number_of(payload, "demand") or 1, _MOST_AT_ONCE))
        future: Future[Reply] = Future()
        # Our workers renew from the claim on, OpenFn's once they have joined.
        lease_us = JOIN_WITHIN_US if peer.foreign else LEASE_US
        claim = Claim(self.identity.key, demand, _queues_of(payload), peer.kinds, lease_us)
        # Signing takes too long for the writer's thread, which settles what is claimed.
        self._desk.services.records.submit(claim).add_done_callback(lambda done: self._after_claim(peer, done, future))
        return future

    def _after_claim(self, peer: Peer, done: Future[tuple[Claimed, ...]], future: Future[Reply]) -> None:
        error = done.exception()
        if error is not None:
            future.set_result(refusal(error))
        elif not done.result():
            future.set_result(ok({"runs": []}))
        elif self._closed:
            self._give_back(done.result(), future)
        else:
            try:
                self._desk.pool.submit(self._hand_out, peer, done.result(), future)
            except RuntimeError:
                # The server stops, at this very moment.
                self._give_back(done.result(), future)

    def _give_back(self, taken: tuple[Claimed, ...], future: Future[Reply]) -> None:
        self._desk.unclaim(taken)
        future.set_result(refused("unavailable"))

    def _hand_out(self, peer: Peer, taken: tuple[Claimed, ...], future: Future[Reply]) -> None:
        with self._guard:
            gone = self._closed
            self._slots.claimed({each.attempt_id: each.claim_number for each in taken})
        if gone:
            self._give_back(taken, future)
            return
        self._desk.claimed(taken)
        future.set_result(ok({"runs": [self._handed(peer, each) for each in taken]}))

    def _handed(self, peer: Peer, claimed: Claimed) -> dict[str, object]:
        services = self._desk.services
        token = services.run_tokens.sign(claimed.attempt_id, claimed.claim_number, services.limits.token_lives_s, foreign=peer.foreign)
        handed: dict[str, object] = {"id": str(claimed.attempt_id), "token": token}
        if not peer.foreign:
            handed |= {
                "claim_number": claimed.claim_number,
                "snapshot_id": str(claimed.snapshot_id),
                "project_id": str(claimed.project_id),
            }
        return handed

    # Leases

    def _heartbeat(self, payload: Payload) -> Future[Reply]:
        asked = payload.get("attempts")
        named = [name for name in asked if isinstance(name, str)] if isinstance(asked, list | tuple) else []
        held = [held for name in named if (held := self._held(name)) is not None]
        future: Future[Reply] = Future()
        renew = Renew(self.identity.key, tuple(held), slots_free=self._slots_free())

        def renewed(renewal: Renewal) -> Reply:
            for attempt_id in renewal.cancel:
                self.cancel(attempt_id)
            self._slots.freed(renewal.gone)
            kept = [str(each.attempt_id) for each in held if each.attempt_id not in renewal.gone]
            return ok({"renewed": kept, "gone": sorted(map(str, renewal.gone))})

        answer(future, self._desk.services.records.submit(renew), renewed)
        return future

    def _held(self, name: str) -> Held | None:
        """What this connection knows of an Attempt that the worker names; None for what it has neither claimed nor joined here."""
        try:
            attempt_id = Id.parse(name)
        except ValueError:
            return None
        found = self._channels.get(attempt_id)
        number = found[1].claim_number if found and found[1].joined else self._slots.claim_number(attempt_id)
        return Held(attempt_id, number) if number else None

    def _renew_foreign(self) -> None:
        """OpenFn's worker beats for its connection: that renews what it has joined, unless it has had its time."""
        peer = self._peer
        if peer is None or not peer.foreign:
            return
        with self._guard:
            channels = [channel for _, channel in self._channels.values()]
        mine = [channel for channel in channels if channel.is_kept_alive]
        held = tuple(Held(channel.attempt_id, channel.claim_number) for channel in mine)
        for channel in mine:
            channel.renewed_at_s = self._desk.monotonic_s()
        self._desk.report(Renew(self.identity.key, held, FOREIGN_LEASE_US, self._slots_free()))

    def _shorten(self, channels: list[AttemptChannel]) -> None:
        """After a closed connection of OpenFn's worker: the rest of each lease, at most a minute."""
        now = self._desk.monotonic_s()
        fresh = (FOREIGN_LEASE_US - _FOREIGN_REST_US) / 1e6
        mine = [each for each in channels if each.is_kept_alive and now - each.renewed_at_s < fresh]
        if mine:
            held = tuple(Held(each.attempt_id, each.claim_number) for each in mine)
            self._desk.report(Renew(self.identity.key, held, _FOREIGN_REST_US))

    def _slots_free(self) -> int:
        with self._guard:
            return max(0, self._free())

    def _free(self) -> int:
        """Slots that are free, under the guard; those of claims that may still be joined are taken."""
        if self._peer is None:
            return 0
        # OpenFn's worker stops by itself what has had its time; ours says of each what has become of it.
        foreign = self._peer.foreign
        busy = (key for key, (_, each) in self._channels.items() if each.joined and not each.over and (each.is_kept_alive or not foreign))
        return self._peer.capacity - self._slots.taken(busy)

    # Attempts

    def _run(self, topic: str, attempt_id: Id, join_ref: str | None, event: str, payload: Payload) -> Future[Reply]:
        if event == "phx_join":
            return self._join(topic, attempt_id, join_ref, payload)
        found = self._channels.get(attempt_id)
        if event == "phx_leave":
            return self._leave(attempt_id, join_ref)
        return found[1].receive(event, payload) if found else settled(refused("unauthorized"))

    def _join(self, topic: str, attempt_id: Id, join_ref: str | None, payload: Payload) -> Future[Reply]:
        foreign = self._peer is None or self._peer.foreign
        channel = AttemptChannel(
            self._desk.services,
            self.identity,
            attempt_id,
            foreign=foreign,
            executor=self._executor,
            monotonic_s=self._desk.monotonic_s,
        )
        with self._guard:
            replaced = self._channels.get(attempt_id)
            self._channels[attempt_id] = (join_ref, channel)
        if replaced is not None and replaced[0] is not None and replaced[0] != join_ref:
            self._push(topic, "phx_close", {}, replaced[0])
        future = channel.join(payload, self._joined)
        future.add_done_callback(lambda done: self._refused(channel, done.result()))
        return future

    def _refused(self, channel: AttemptChannel, reply: Reply) -> None:
        """A worker drops what it may not join. What could not be answered just now it may ask for again."""
        if reply.status == "ok" or reply == refused("unavailable"):
            return
        with self._guard:
            found = self._channels.get(channel.attempt_id)
            if found is None or found[1] is not channel:
                return
            del self._channels[channel.attempt_id]
            self._slots.freed([channel.attempt_id])

    def _joined(self, channel: AttemptChannel) -> None:
        self._slots.joined(channel.attempt_id)
        self._desk.joined(channel.attempt_id, channel.claim_number)

    def _leave(self, attempt_id: Id, join_ref: str | None) -> Future[Reply]:
        with self._guard:
            found = self._channels.get(attempt_id)
            if found is None or (found[0] != join_ref and join_ref is not None):
                return settled(ok({}))
            del self._channels[attempt_id]
            self._slots.freed([attempt_id])
        report = found[1].left()
        if report is not None and found[1].over:
            self._desk.report(report)
        elif report is not None:
            # A worker that reconnects may leave and join in one go: only who stays away has left.
            self._desk.after(_REJOINS_WITHIN_S, lambda: None if attempt_id in self._channels else self._desk.report(report))
        return settled(ok({}))


def _peer_of(payload: Payload, identity: Identity) -> Peer:
    capacity = max(0, number_of(payload, "capacity") or 1)
    if payload.get("kivuko") is None:
        return Peer(True, Needs.JAVASCRIPT, capacity, identity.worker_id, "")
    kinds = payload.get("kinds")
    named = [kind for kind in kinds if isinstance(kind, str)] if isinstance(kinds, list | tuple) else ["javascript"]
    needs = Needs.FRONTIER
    for kind in named:
        needs |= _KINDS.get(kind, Needs.NOTHING)
    return Peer(False, needs, capacity, text_of(payload, "name") or identity.worker_id, text_of(payload, "version") or "")


def _queues_of(payload: Payload) -> tuple[str, ...]:
    found = payload.get("queues")
    named = [queue for queue in found if isinstance(queue, str)] if isinstance(found, list | tuple) else []
    return tuple(named) or ("manual", "*")
