"""One Attempt in the hands of the worker that joined its topic: the check at the door, what it may fetch (worker-protocol §7)."""

from __future__ import annotations

from dataclasses import dataclass

from kivuko.errors import ObjectMissing, Unauthenticated
from kivuko.platform.execution import InitialStates, Limits, RunToken, TakenOver, limits_of, taken_over
from kivuko.platform.workflows.document import WorkflowDocument
from kivuko.records import AttemptRecord, AttemptState, Id, goes_on, read_attempt, read_dataclip
from kivuko.records.database import Connection
from kivuko.server.lanes.workers.identity import Identity
from kivuko.server.lanes.workers.payloads import Payload, id_of, text_of
from kivuko.server.lanes.workers.reply import Reply, errors, ok, refused
from kivuko.server.lanes.workers.services import Services

__all__ = ["FETCHES", "Assignment", "admit", "stale"]

FETCHES = frozenset({"fetch:plan", "fetch:dataclip", "fetch:credential"})
_WAITING = (AttemptState.QUEUED, AttemptState.PARKED)
_HEARD_OUT = (AttemptState.LOST, AttemptState.CANCELLED)


@dataclass(frozen=True)
class Assignment:
    """An Attempt as it was when its worker joined. ``earlier`` is None when it begins at its start node."""

    services: Services
    token: RunToken
    record: AttemptRecord
    document: WorkflowDocument
    foreign: bool
    earlier: TakenOver | None = None

    @property
    def attempt_id(self) -> Id:
        """The Attempt's id."""
        return self.token.attempt_id

    @property
    def claim_number(self) -> int:
        """Which claim the worker's reports belong to."""
        return self.token.claim_number

    @property
    def state(self) -> AttemptState:
        """The Attempt's state at the join."""
        return self.record.attempt.state

    @property
    def limits(self) -> Limits:
        """How long it may run, how much it may use."""
        attempt, document = self.record.attempt, self.document
        kept = any(self.keeps(job.id) for job in document.jobs)
        return limits_of(self.services.limits, attempt.options, job_logs=document.job_logs, output_dataclips=kept)

    @property
    def earlier_outputs(self) -> dict[str, Id]:
        """What earlier tries have left, by id as text: the worker may fetch it, and name it as the final state."""
        runs = self.earlier.runs if self.earlier else ()
        return {str(run.output_dataclip_id): run.output_dataclip_id for run in runs if run.output_dataclip_id}

    def keeps(self, job_id: Id | None) -> bool:
        """Whether the output of a job (None: the final state) is stored."""
        attempt = self.record.attempt
        return self.services.catalogue.keeps_output(attempt.project_id, attempt.workflow_id, job_id)

    def fetch(self, event: str, payload: Payload) -> Reply:
        """Answers one of ``FETCHES``; nothing after the token's time. Raises RecordMissing or BodyWiped."""
        if self.services.run_tokens.expired(self.token):
            return refused("unauthorized")
        if event == "fetch:plan":
            return ok(self._plan())
        return self._credential(payload) if event == "fetch:credential" else self._state(payload)

    def _plan(self) -> dict[str, object]:
        plans = self.services.plans
        return plans.write(self.record, self.document, self.limits, earlier=self.earlier, foreign=self.foreign)

    def _state(self, payload: Payload) -> Reply:
        # An Attempt has one input: what it is called does not matter.
        record = self.record
        run = next((run for run in record.runs if str(run.id) == payload.get("run_id")), None)
        if run is None and payload.get("run_id"):
            return errors("run_id", "Run not found!")
        wanted = self.earlier_outputs.get(text_of(payload, "id") or "")
        with self.services.records.reading() as connection:
            if wanted is not None and run is None:
                return ok(read_dataclip(connection, self.services.records.payloads, wanted))
            states = InitialStates(connection, self.services.records.payloads)
            return ok(states.of_run(record, run, self.document) if run else states.of_attempt(record, self.document))

    def _credential(self, payload: Payload) -> Reply:
        credential_id = id_of(payload, "id")
        if credential_id in {job.credential_id for job in self.document.jobs}:
            try:
                return ok(dict(self.services.catalogue.credential(credential_id, self.document.project_id)))
            except ObjectMissing:
                pass
        return errors("id", "Credential not found!")


def admit(services: Services, identity: Identity, attempt_id: Id, payload: Payload, *, foreign: bool) -> Assignment | Reply:
    """The assignment of a worker that joins, or why it may not (R11). An expired token does for reports, not for data."""
    try:
        token = services.run_tokens.read(text_of(payload, "token") or "")
    except Unauthenticated:
        return refused("unauthorized")
    if token.attempt_id != attempt_id:
        return refused("unauthorized")
    with services.records.reading() as connection:
        record = read_attempt(connection, attempt_id)
        earlier = taken_over(connection, record) if not foreign and _goes_on(connection, record) else None
    attempt = record.attempt
    if attempt.claim_number != token.claim_number or attempt.state in _WAITING:
        return stale(foreign)
    # Lost may be overruled, and the worker of a cancelled Attempt is heard out; all else that is finished stays as it is.
    if attempt.state.finished and attempt.state not in _HEARD_OUT:
        return refused("unauthorized" if foreign else "finished")
    if attempt.worker_id not in (None, identity.key):
        return refused("unauthorized")
    return Assignment(services, token, record, services.catalogue.document(attempt.snapshot_id), foreign, earlier)


def _goes_on(connection: Connection, record: AttemptRecord) -> bool:
    """Spares most Attempts a question: only what was parked, or takes over from another, goes on from the midst."""
    attempt = record.attempt
    return (attempt.started_at is not None or attempt.retry_of is not None) and goes_on(connection, attempt.id)


def stale(foreign: bool) -> Reply:
    """Somebody else owns the Attempt now. OpenFn's worker knows two words only."""
    return refused("unauthorized" if foreign else "stale_claim")
