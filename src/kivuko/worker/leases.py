"""Leases: what a worker holds, the heartbeat that renews it, and the fence when it cannot be renewed (server-and-data §6)."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future

import structlog

from kivuko.worker.channel import Channel
from kivuko.worker.execution import Execution
from kivuko.worker.link import QUEUE, Link, Reply

__all__ = ["Leases"]

_log = structlog.get_logger(__name__)

_LEASE_S, _HEARTBEAT_S = 12.0, 1.0
_FENCE_SHARE = 0.75
"""After this share of a lease without confirmation everything stops: 9 of 12 s, so that it is over before anybody else begins."""


class Leases:
    """The Attempts of a worker. Safe from any thread.

    ``fences`` is False where nobody else can take the work. What was abandoned is told to the server as soon as it can be.
    """

    def __init__(self, link: Link, *, fences: bool) -> None:
        self.connected = False
        self._link = link
        self._fences = fences
        self._lock = threading.Lock()
        self._empty = threading.Condition(self._lock)
        self._held: dict[str, Execution] = {}
        self._untold: dict[str, str] = {}
        self._heartbeat_s = _HEARTBEAT_S
        self._fence_s = _LEASE_S * _FENCE_SHARE
        self._beaten_at = 0.0

    def held(self) -> list[Execution]:
        """What is claimed and not ended."""
        with self._lock:
            return list(self._held.values())

    def find(self, attempt_id: str) -> Execution | None:
        """An Attempt of ours."""
        with self._lock:
            return self._held.get(attempt_id)

    def add(self, execution: Execution) -> None:
        """An Attempt was claimed."""
        with self._lock:
            self._held[execution.claimed.id] = execution

    def remove(self, execution: Execution) -> None:
        """An Attempt is over for us."""
        with self._lock:
            if self._held.get(execution.claimed.id) is execution:
                del self._held[execution.claimed.id]
            self._empty.notify_all()

    def wait_until_empty(self, patience_s: float) -> bool:
        """Whether all Attempts have ended, after waiting that long at most."""
        with self._lock:
            return self._empty.wait_for(lambda: not self._held, patience_s)

    def wait_until_told(self, patience_s: float) -> bool:
        """Whether the server knows of everything that was abandoned, after waiting that long at most."""
        with self._lock:
            return self._empty.wait_for(lambda: not self._untold and not self._held, patience_s)

    def connection_changed(self, up: bool) -> None:
        """The connection went, or is back."""
        self.connected = False
        if not up:
            for execution in self.held():
                execution.connected(False)

    def entered(self, response: Mapping[str, object]) -> None:
        """The server lets us in: it says how long leases are, and topics can be joined again."""
        lease_s, heartbeat_s = response.get("lease_s"), response.get("heartbeat_s")
        if isinstance(lease_s, int | float) and lease_s > 0:
            self._fence_s = lease_s * _FENCE_SHARE
        if isinstance(heartbeat_s, int | float) and heartbeat_s > 0:
            self._heartbeat_s = heartbeat_s
        self.connected = True
        for execution in self.held():
            execution.connected(True)
        self._tell_abandoned()

    def fence(self) -> None:
        """Stops what could not be renewed for too long. Hosts are killed before anything that might wait: a connection that hangs, too."""
        if not self._fences:
            return
        now = time.monotonic()
        overdue = [each for each in self.held() if now - each.confirmed_at >= self._fence_s and not each.abandoned]
        for execution in overdue:
            execution.stop()
        for execution in overdue:
            _log.warning("an attempt is stopped: its lease could not be renewed", attempt=execution.claimed.id, for_s=self._fence_s)
            self.abandon(execution)

    def beat(self) -> None:
        """Renews all leases when it is time."""
        now = time.monotonic()
        if self.connected and now - self._beaten_at >= self._heartbeat_s:
            self._beaten_at = now
            ids = [execution.claimed.id for execution in self.held() if not execution.abandoned]
            self._link.push(QUEUE, "heartbeat", {"attempts": ids}).add_done_callback(lambda done: self._confirmed(done, now))

    def abandon(self, execution: Execution) -> None:
        """Stops an Attempt at once and tells the server, now or when it can be reached."""
        with self._lock:
            self._untold[execution.claimed.id] = execution.claimed.token
        execution.abandon()
        self._tell_abandoned()

    def _confirmed(self, done: Future[Reply], sent_at: float) -> None:
        reply = None if done.exception() else done.result()
        if reply is None or not reply.ok or not isinstance(reply.response, Mapping):
            return
        for attempt_id in _ids(reply.response, "renewed"):
            execution = self.find(attempt_id)
            if execution is not None:
                execution.confirmed_at = max(execution.confirmed_at, sent_at)
        for attempt_id in _ids(reply.response, "gone"):
            execution = self.find(attempt_id)
            if execution is not None and execution.confirmed_at < sent_at and not execution.ending:
                _log.info("an attempt is not ours any more", attempt=attempt_id)
                execution.gone()

    def _tell_abandoned(self) -> None:
        if not self.connected:
            return
        with self._lock:
            untold = list(self._untold.items())
        for attempt_id, token in untold:
            self._tell_one(attempt_id, token)

    def _tell_one(self, attempt_id: str, token: str) -> None:
        def told() -> None:
            with self._lock:
                self._untold.pop(attempt_id, None)
                self._empty.notify_all()

        channel = Channel(self._link, attempt_id, token, told)
        channel.join()

        def answered(done: Future[Reply]) -> None:
            if done.exception() is None:
                told()
            channel.close()

        channel.send("run:abandoned", {}).add_done_callback(answered)


def _ids(response: Mapping[str, object], key: str) -> list[str]:
    found = response.get(key)
    return [str(each) for each in found] if isinstance(found, list | tuple) else []
