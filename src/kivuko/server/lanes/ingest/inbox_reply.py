"""What an inbox says that answers when all matched jobs have ended (R-051; the words are the microservice's, requirements §4.2)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kivuko.records import AttemptRecord, Id, Records, log_after

__all__ = ["Finished", "finished_reply"]

_MOST_LINES = 1_000


@dataclass(frozen=True)
class Finished:
    """The status and the body of the answer."""

    status: int
    content: Mapping[str, object]


def finished_reply(records: Records, ended: Sequence[AttemptRecord]) -> Finished:
    """200 where nothing matched, 201 where every job succeeded, else 206, with each Run's exit code and log.

    Reads logs (of each Attempt the first 1 000 lines), so it may block. Raises RecordsUnavailable.
    """
    jobs = [job for record in ended for job in _jobs(records, record)]
    success = all(job["exit_code"] == 0 for job in jobs)
    status = (201 if success else 206) if ended else 200
    return Finished(status, {"jobs": jobs, "success": success, "match_count": len(ended)})


def _jobs(records: Records, record: AttemptRecord) -> list[dict[str, object]]:
    with records.reading() as connection:
        lines = log_after(connection, record.attempt.id, 0, _MOST_LINES)
    logs: defaultdict[Id | None, list[str]] = defaultdict(list)
    for line in lines:
        logs[line.run_id].append(line.message)
    return [{"job_id": str(run.job_id), "run_id": str(run.id), "exit_code": run.exit_code, "log": logs[run.id]} for run in record.runs]
