"""Accepting a message: the message, its first version and everything it starts, in one transaction (server-and-data §5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from kivuko.records.ids import Id
from kivuko.records.intents import Intent, Transaction
from kivuko.records.rows import Message, MessageVersion
from kivuko.records.starting import Input, NewRows, Origin, Start, Started, start_rows
from kivuko.records.states import Once

__all__ = ["Accepted", "IdempotencyKey", "Ingest", "Skipped", "ingest"]


@dataclass(frozen=True)
class IdempotencyKey:
    """What makes two requests the same: a digest of scope and key, and for how long."""

    digest: bytes
    window_us: int


@dataclass(frozen=True)
class Skipped:
    """A start that was refused: its job had just been started for this message, as ``run_id`` (10-second rule)."""

    work_order_id: Id
    workflow_id: Id
    job_id: Id
    run_id: Id


@dataclass(frozen=True)
class Accepted:
    """What came of a message. ``duplicate_of`` is the first message with the same idempotency key: then nothing was started."""

    message_id: Id
    started: tuple[Started, ...]
    skipped: tuple[Skipped, ...]
    duplicate_of: Id | None = None


@dataclass(frozen=True)
class Ingest(Intent[Accepted]):
    """A request that was found good, with what it starts (one ``Start`` for each match)."""

    family = "ingest"
    rank = 4
    message: Message
    version: MessageVersion
    starts: tuple[Start, ...] = ()
    idempotency: IdempotencyKey | None = None

    @property
    def size_bytes(self) -> int:
        """The body as stored, and about what the other rows take."""
        return len(self.version.body or b"") + 1024


def ingest(transaction: Transaction, intents: Sequence[Ingest]) -> list[Accepted]:
    """Writes messages. The message is new, so nobody else knows its pairs: the 10-second rule is decided within the intent."""
    known = _known(transaction, intents) if transaction.repeated else {}
    first_of_key = _take_keys(transaction, intents)
    rows = NewRows()
    results = []
    for intent in intents:
        message_id = intent.message.id
        original = known.get(message_id) or first_of_key.get(message_id, message_id)
        accepted, kept = _decide(intent, original)
        results.append(accepted)
        if message_id not in known:
            _add(rows, transaction, intent, kept, accepted)
    rows.write(transaction.connection)
    return results


def _known(transaction: Transaction, intents: Sequence[Ingest]) -> dict[Id, Id]:
    """Messages that an earlier try has written, each with the message it duplicates (itself when none)."""
    found = transaction.connection.fetch("messages_known", ids=[intent.message.id for intent in intents])
    return {Id(message_id): Id(original or message_id) for message_id, original in found}


def _take_keys(transaction: Transaction, intents: Sequence[Ingest]) -> dict[Id, Id]:
    """For each message with an idempotency key, the first message that had it. Sorted: two writers must not wait for each other."""
    keyed = sorted(((each.idempotency.digest, at) for at, each in enumerate(intents) if each.idempotency))
    first: dict[Id, Id] = {}
    for digest, at in keyed:
        message_id, key = intents[at].message.id, intents[at].idempotency
        assert key is not None
        transaction.connection.change(
            "once_take",
            kind=int(Once.IDEMPOTENCY_KEY),
            key=digest,
            target_id=message_id,
            expires_at=transaction.now_us + key.window_us,
            now_us=transaction.now_us,
        )
        ((target,),) = transaction.connection.fetch("once_target", kind=int(Once.IDEMPOTENCY_KEY), key=digest)
        first[message_id] = Id(target)
    return first


def _decide(intent: Ingest, original: Id) -> tuple[Accepted, list[Start]]:
    message_id = intent.message.id
    if original != message_id:
        return Accepted(message_id, (), (), duplicate_of=original), []
    taken: dict[Id, Id] = {}
    kept: list[Start] = []
    skipped: list[Skipped] = []
    # Numbers are given by workflow (creation: the id), then by the order of jobs in the document (server-and-data §4.2).
    for start in sorted(intent.starts, key=lambda each: (each.workflow_id, each.trigger_id or b"")):
        refused = next((job for _, job in start.runs if job in taken), None)
        if refused is None:
            kept.append(start)
            taken.update((job, run) for run, job in start.runs)
        else:
            skipped.append(Skipped(start.work_order_id, start.workflow_id, refused, taken[refused]))
    started = tuple(Started(start.work_order_id, start.attempt_id, tuple(run for run, _ in start.runs)) for start in kept)
    return Accepted(message_id, started, tuple(skipped)), kept


def _add(rows: NewRows, transaction: Transaction, intent: Ingest, kept: Sequence[Start], accepted: Accepted) -> None:
    message = intent.message
    run_count = 0
    origin, given = Origin(message.project_id), Input(message.id, 1)
    for start in kept:
        rows.add(*start_rows(start, origin, given, now_us=transaction.now_us, first_number=run_count + 1))
        run_count += len(start.runs)
        transaction.tell("work_order", message.project_id, start.work_order_id)
        transaction.tell("queued", message.project_id, start.workflow_id)
    rows.add(replace(message, run_count=run_count, duplicate_of=accepted.duplicate_of), intent.version)
    transaction.tell("message", message.project_id, message.id)
