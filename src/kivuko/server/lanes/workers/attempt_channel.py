"""The topic of one Attempt on one connection: the worker joins, fetches, reports (worker-protocol §7)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from typing import TypeVar

from kivuko.errors import InputError, ObjectMissing
from kivuko.records import FOREIGN_LEASE_US, Abandon, AttemptState, HandBack, Held, Id, Intent, Leave, Renew, RunEnded
from kivuko.runtime.secrets import Scrubber
from kivuko.server.lanes.workers.assignment import FETCHES, Assignment, admit, stale
from kivuko.server.lanes.workers.channel import InTurn
from kivuko.server.lanes.workers.identity import Identity
from kivuko.server.lanes.workers.payloads import Payload, rows_of, text_of
from kivuko.server.lanes.workers.reply import Reply, answer, errors, ok, refused
from kivuko.server.lanes.workers.reports import Reporting
from kivuko.server.lanes.workers.services import Services

__all__ = ["AttemptChannel"]

R = TypeVar("R")

_LARGE_BYTES = 100_000
_BODIES = ("output_dataclip", "final_state", "input_dataclip")
_LOGS = frozenset({"run:log", "run:batch_logs"})
_HELD = (AttemptState.CLAIMED, AttemptState.STARTED)


class AttemptChannel:
    """One Attempt on one connection. ``foreign`` is what its worker is; ``monotonic_s`` the clock of leases."""

    def __init__(
        self,
        services: Services,
        identity: Identity,
        attempt_id: Id,
        *,
        foreign: bool,
        executor: Executor,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.attempt_id = attempt_id
        self.over = False
        """Whether the Attempt's end was reported, or the worker gave it back."""
        self.cancelled = False
        self.renewed_at_s = monotonic_s()
        self._services = services
        self._identity = identity
        self._foreign = foreign
        self._monotonic_s = monotonic_s
        self._turns = InTurn(executor)
        self._assignment: Assignment | None = None
        self._reporting: Reporting | None = None
        self._scrubber: Scrubber | None = None
        self._started_at_s: float | None = None

    @property
    def joined(self) -> bool:
        """Whether the join was answered with ok."""
        return self._reporting is not None

    @property
    def claim_number(self) -> int:
        """Which claim the worker's reports belong to; 0 before it has joined."""
        return self._assignment.claim_number if self._assignment else 0

    @property
    def is_kept_alive(self) -> bool:
        """Whether a heartbeat of OpenFn's worker, which names no Attempts, renews this one: not when it has had all its time."""
        if not self.joined or self.over or self._assignment is None:
            return False
        lives_s = self._assignment.limits.token_lives_s
        return self._started_at_s is None or self._monotonic_s() - self._started_at_s <= lives_s

    def join(self, payload: Payload, on_join: Callable[[AttemptChannel], None]) -> Future[Reply]:
        """Checks the token and who owns the Attempt; ``on_join`` is told when all is well, before the answer."""
        return self._turns.add(True, lambda future: self._join(payload, on_join, future))

    def receive(self, event: str, payload: Payload) -> Future[Reply]:
        """Handles a message in its turn."""
        slow = event in FETCHES or _is_large(payload) or (event in _LOGS and self._scrubber is None)
        return self._turns.add(slow, lambda future: self._receive(event, payload, future))

    def left(self) -> Leave | None:
        """What is to be reported when the worker has left for good: nothing when its Attempt has ended, or lives on by heartbeats."""
        if not self._foreign or not self.joined or (self.over and not self.cancelled):
            return None
        return Leave(self.attempt_id, self.claim_number)

    def _join(self, payload: Payload, on_join: Callable[[AttemptChannel], None], future: Future[Reply]) -> None:
        found = admit(self._services, self._identity, self.attempt_id, payload, foreign=self._foreign)
        if isinstance(found, Reply):
            future.set_result(found)
        elif self._foreign and found.state in _HELD:
            held = Held(self.attempt_id, found.claim_number)
            renewal = self._services.records.submit(Renew(self._identity.key, (held,), FOREIGN_LEASE_US))
            answer(future, renewal, lambda done: stale(True) if done.gone else self._take(found, on_join))
        else:
            # Kivuko's own worker beats every second and names its Attempts.
            future.set_result(self._take(found, on_join))

    def _take(self, found: Assignment, on_join: Callable[[AttemptChannel], None]) -> Reply:
        self._assignment = found
        self._reporting = Reporting(
            found.record,
            found.claim_number,
            found.document,
            self._services.records.payloads,
            self._foreign,
            found.keeps,
            self._scrub,
            found.earlier_outputs,
        )
        self.cancelled = found.state is AttemptState.CANCELLED
        self.renewed_at_s = self._monotonic_s()
        on_join(self)
        return ok({} if self._foreign else {"first_seq": found.record.last_seq + 1})

    def _scrub(self, text: str) -> str:
        """Hides the secrets of all credentials that the workflow may use."""
        if self._scrubber is None and self._assignment is not None:
            self._scrubber = self._services.scrubber(self._assignment.document)
        return self._scrubber.text(text) if self._scrubber else text

    def _receive(self, event: str, payload: Payload, future: Future[Reply]) -> None:
        if self._assignment is None or self._reporting is None:
            future.set_result(refused("unauthorized"))
            return
        try:
            if event in FETCHES:
                future.set_result(refused("unauthorized") if self.over else self._assignment.fetch(event, payload))
            elif event in _LOGS:
                self._log(event, payload, future, self._reporting)
            else:
                self._report(event, payload, future, self._reporting)
        except (InputError, ObjectMissing) as error:
            future.set_result(errors("payload", error.message))

    def _report(self, event: str, payload: Payload, future: Future[Reply], reporting: Reporting) -> None:
        match event:
            case "run:start":
                self._started_at_s = self._monotonic_s()
                self._submit(future, reporting.started(payload), self._begun)
            case "step:start":
                step = text_of(payload, "step_id") or ""
                self._submit(future, reporting.run_started(payload), lambda run_id: self._run_answer(step, run_id))
            case "step:complete":
                step = text_of(payload, "step_id") or ""
                self._submit(
                    future, reporting.run_ended(payload, self._executed_ms()), lambda ended: self._run_answer(step, ended.run_id, ended)
                )
            case "run:complete":
                self._submit(future, reporting.ended(payload, self._executed_ms()), self._ended)
            case "run:parked":
                self._submit(future, reporting.parked(payload), self._ended)
            case "run:abandoned":
                self._submit(future, Abandon(self.attempt_id, self.claim_number), self._ended)
            case "run:hand_back":
                self._submit(future, HandBack(self.attempt_id, self.claim_number), self._ended)
            case _:
                future.set_result(refused("unknown_event"))

    def _submit(self, future: Future[Reply], intent: Intent[R], response: Callable[[R], object]) -> None:
        answer(future, self._services.records.submit(intent), lambda result: ok(response(result)))

    def _begun(self, run_ids: tuple[Id, ...]) -> object:
        return {} if self._foreign else {"run_ids": [str(each) for each in run_ids]}

    def _run_answer(self, step: str, run_id: Id, ended: RunEnded | None = None) -> object:
        if self._reporting is not None:
            self._reporting.runs[step] = run_id
        response: dict[str, object] = {"step_id": step}
        if ended is not None and not self._foreign:
            response["run_ids"] = [str(each) for each in ended.next_ids]
        if ended is not None and ended.state is not None:
            self._ended(ended.state)
            response["state"] = ended.state.name.lower()
        return response

    def _ended(self, state: AttemptState) -> object:
        self.over = True
        self.cancelled = state is AttemptState.CANCELLED
        return {} if self._foreign else {"state": state.name.lower()}

    def _executed_ms(self) -> int:
        return 0 if self._started_at_s is None else int((self._monotonic_s() - self._started_at_s) * 1000)

    def _log(self, event: str, payload: Payload, future: Future[Reply], reporting: Reporting) -> None:
        rows = [payload] if event == "run:log" else rows_of(payload, "logs")
        written = [self._services.records.submit(batch, bulk=True) for batch in reporting.logged(rows, self._services.now_us())]
        if not written:
            future.set_result(ok({}))
            return
        # Batches of one Attempt are written in order: the last one's answer is that of all.
        answer(future, written[-1], lambda last: ok({"log_line_id": f"{self.attempt_id}:{last}"} if event == "run:log" else {}))


def _is_large(payload: Payload) -> bool:
    """Whether a body in it takes time to compress: its own, one of an input that follows, or that of the end."""
    if _large_itself(payload) or any(_large_itself(row) for row in rows_of(payload, "next")):
        return True
    end = payload.get("end")
    return isinstance(end, Mapping) and _large_itself(end)


def _large_itself(payload: Payload) -> bool:
    return any(isinstance(body, bytes | str) and len(body) > _LARGE_BYTES for body in (payload.get(key) for key in _BODIES))
