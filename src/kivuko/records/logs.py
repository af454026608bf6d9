"""Log lines: in batches, numbered per Attempt, complete when the Attempt's end is seen (server-and-data §9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from kivuko.errors import RecordsError, StaleClaim
from kivuko.records.ids import Id
from kivuko.records.intents import Intent, Transaction
from kivuko.records.rows import LogLine
from kivuko.records.states import LogLevel

__all__ = ["Line", "WriteLogs", "write_logs"]


@dataclass(frozen=True)
class Line:
    """One line, secrets already taken out. ``run_id`` is None before and between Runs; ``source`` has at most 8 characters."""

    message: str
    at_us: int
    level: LogLevel = LogLevel.INFO
    source: str = "JOB"
    run_id: Id | None = None


@dataclass(frozen=True)
class WriteLogs(Intent[int]):
    """Lines of an Attempt, submitted to the bulk queue; gives the number of the last one.

    Kivuko's worker numbers its lines itself (``first_seq``), so a batch that comes twice changes nothing. A foreign worker does not: its
    lines are numbered on receipt.
    """

    family = "log"
    rank = 1
    attempt_id: Id
    claim_number: int
    lines: tuple[Line, ...]
    first_seq: int | None = None
    numbered: dict[str, int] = field(default_factory=dict, compare=False)
    """Where numbers given on receipt are kept, so that a write of unknown outcome is repeated with the same ones."""

    @property
    def key(self) -> Id | None:
        """Lines of one Attempt keep their order."""
        return self.attempt_id

    @property
    def size_bytes(self) -> int:
        """The text, and what a row takes."""
        return sum(len(line.message) + 64 for line in self.lines)


def write_logs(transaction: Transaction, batches: Sequence[WriteLogs]) -> list[int | RecordsError]:
    """Stores lines. A batch from a worker that no longer owns the Attempt is refused with StaleClaim."""
    connection = transaction.connection
    ids = sorted({batch.attempt_id for batch in batches})
    owners = {Id(attempt): number for attempt, number in connection.fetch("attempt_owners", ids=ids)}
    unnumbered = sorted({batch.attempt_id for batch in batches if batch.first_seq is None})
    last = {Id(attempt): seq for attempt, seq in connection.fetch("last_lines", ids=unnumbered)} if unnumbered else {}
    rows: list[LogLine] = []
    results: list[int | RecordsError] = []
    for batch in batches:
        if owners.get(batch.attempt_id) != batch.claim_number:
            results.append(StaleClaim(f"attempt {batch.attempt_id} is no longer this worker's"))
            continue
        first = _first_number(batch, last)
        rows.extend(
            LogLine(
                batch.attempt_id, first + at, line.run_id, line.level, line.source[:8], line.at_us, line.message.replace("\0", "\ufffd")
            )
            for at, line in enumerate(batch.lines)
        )
        results.append(first + len(batch.lines) - 1)
        transaction.tell("log", None, batch.attempt_id)
    connection.write(rows)
    return results


def _first_number(batch: WriteLogs, last: dict[Id, int]) -> int:
    if batch.first_seq is not None:
        return batch.first_seq
    first = batch.numbered.setdefault("first", last.get(batch.attempt_id, 0) + 1)
    last[batch.attempt_id] = max(last.get(batch.attempt_id, 0), first + len(batch.lines) - 1)
    return first
