"""The conversation about one Attempt: messages in order, said again when the connection was away, until the server has answered."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING

from kivuko.errors import AttemptGone, LinkDown
from kivuko.worker.link import Link, Reply, run_topic

if TYPE_CHECKING:
    from kivuko.worker.link import Payload

__all__ = ["Channel"]

_AGAIN = frozenset({"unavailable", "records_unavailable"})
"""Reasons for which the same message is said again in a moment: the server lives, its database does not answer just now."""

_GONE = frozenset({"stale_claim", "unauthorized", "not_found", "finished"})
"""Reasons that mean that the Attempt is not ours: another worker has it, or nobody needs it any more."""


class _Message:
    def __init__(self, event: str, payload: Payload) -> None:
        self.event = event
        self.payload = payload
        self.answer: Future[Reply] = Future()
        self.sending = 0


class Channel:
    """The topic of an Attempt. Safe from any thread.

    Every report is idempotent, so what was not answered before the connection went is simply said again after it is back and the topic is
    joined again. ``on_gone`` hears, on any thread, that the Attempt is no longer ours.
    """

    def __init__(self, link: Link, attempt_id: str, token: str, on_gone: Callable[[], None]) -> None:
        self._link = link
        self._topic = run_topic(attempt_id)
        self._token = token
        self._on_gone = on_gone
        self._lock = threading.RLock()
        self._unanswered: deque[_Message] = deque()
        self._sendings = 0
        self._up = True
        self._closed = False
        self._silent = False

    def join(self) -> Future[Reply]:
        """Joins the topic; the first message of all."""
        return self.send("phx_join", {"token": self._token})

    def send(self, event: str, payload: Payload) -> Future[Reply]:
        """Says something after all that was said before. The future gives the answer; it raises AttemptGone when there will be none."""
        message = _Message(event, payload)
        with self._lock:
            if self._closed or self._silent:
                message.answer.set_exception(AttemptGone())
                return message.answer
            self._unanswered.append(message)
            if self._up:
                self._transmit(message)
        return message.answer

    def ask(self, event: str, payload: Payload) -> Reply:
        """``send``, and waits for the answer. Raises AttemptGone."""
        return self.send(event, payload).result()

    def connected(self, up: bool) -> None:
        """Tells that the connection went or is back: then the topic is joined again, and what waits for an answer said again."""
        with self._lock:
            self._up = up and not self._closed
            if self._up:
                self._repeat(join_first=True)

    def repeat(self) -> None:
        """Says again what the server could not take a moment ago; called now and then."""
        with self._lock:
            if self._up and any(not message.sending for message in self._unanswered):
                self._repeat(join_first=False)

    def silence(self) -> None:
        """From now on nothing is taken that is to be said. Waits for nobody, not even for a connection that hangs."""
        self._silent = True

    def close(self, *, leave: bool = True) -> None:
        """Ends the conversation: what waits for an answer gets AttemptGone."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            dropped, self._unanswered = list(self._unanswered), deque()
            if leave and self._up:
                self._link.push(self._topic, "phx_leave", {})
        for message in dropped:
            message.answer.set_exception(AttemptGone())

    def _repeat(self, *, join_first: bool) -> None:
        waiting = list(self._unanswered)
        if join_first and not (waiting and waiting[0].event == "phx_join"):
            rejoin = _Message("phx_join", {"token": self._token})
            self._unanswered.appendleft(rejoin)
            waiting.insert(0, rejoin)
        for message in waiting:
            self._transmit(message)

    def _transmit(self, message: _Message) -> None:
        self._sendings += 1
        sending = message.sending = self._sendings
        answer = self._link.push(self._topic, message.event, message.payload)
        answer.add_done_callback(lambda done: self._answered(message, sending, done))

    def _answered(self, message: _Message, sending: int, done: Future[Reply]) -> None:
        problem = done.exception()
        if problem is not None and not isinstance(problem, LinkDown):
            self._settle(message, problem)
            return
        with self._lock:
            if message.sending != sending or message.answer.done():
                return  # an answer to an earlier saying, while the later one is under way
            if problem is not None or done.result().reason in _AGAIN:
                message.sending = 0
                return
        reply = done.result()
        if not reply.ok and reply.reason in _GONE and message.event != "fetch:credential":
            self.close()
            self._on_gone()
            return
        self._settle(message, reply)

    def _settle(self, message: _Message, outcome: Reply | BaseException) -> None:
        with self._lock:
            if message.answer.done():
                return
            if message in self._unanswered:
                self._unanswered.remove(message)
        if isinstance(outcome, BaseException):
            message.answer.set_exception(outcome)
        else:
            message.answer.set_result(outcome)


def refusal(response: object) -> str:
    """What an error reply says, as a text."""
    if isinstance(response, Mapping):
        return str(response.get("message") or response.get("reason") or dict(response))
    return str(response)
