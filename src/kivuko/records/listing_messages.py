"""The inbox: messages newest first, their job-states, versions and Runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from kivuko.records.database import Connection
from kivuko.records.ids import Id
from kivuko.records.listing import Conditions, Keys, Slice, count_rows, moments, select_rows
from kivuko.records.rows import Message, MessageVersion
from kivuko.records.states import JobResult

__all__ = [
    "JobResultOf",
    "MessageQuery",
    "VersionEntry",
    "count_messages",
    "job_states_of",
    "list_messages",
    "message_with_version",
    "newest_bodies",
    "versions_of",
]


@dataclass(frozen=True)
class MessageQuery:
    """Which messages of a project. ``job_states`` asks for the result of any job, or of those in ``job_ids``; times are µs."""

    project_id: Id
    ids: Keys = None
    inbox_ids: Keys = None
    trigger_ids: Keys = None
    job_ids: Keys = None
    job_states: Collection[JobResult] | None = None
    received_after: int | None = None
    received_before: int | None = None


@dataclass(frozen=True)
class JobResultOf:
    """A job-state with the number of its Run: what ``Referral (success - run 1)`` says."""

    message_id: Id
    job_id: Id
    state: JobResult
    run_id: Id
    run_number: int | None


@dataclass(frozen=True)
class VersionEntry:
    """A version of a message without its body; ``inserted_at`` and ``wiped_at`` are µs."""

    version: int
    inserted_at: int
    author_id: Id | None
    size_bytes: int
    wiped_at: int | None


def list_messages(connection: Connection, query: MessageQuery, part: Slice) -> list[Message]:
    """Messages, newest first: one statement."""
    return select_rows(connection, Message, _conditions(query, part), "message.id DESC", part.at_most)


def count_messages(connection: Connection, query: MessageQuery, at_most: int) -> int:
    """How many messages there are, counted up to a bound."""
    return count_rows(connection, "message", _conditions(query, Slice(at_most)), at_most)


def job_states_of(connection: Connection, message_ids: Sequence[Id]) -> dict[Id, list[JobResultOf]]:
    """The job-states of messages, each in the order of its Runs' numbers."""
    found: dict[Id, list[JobResultOf]] = defaultdict(list)
    if message_ids:
        for message, job, state, run, number in connection.fetch("job_states_of_messages", ids=list(message_ids)):
            found[Id(message)].append(JobResultOf(Id(message), Id(job), JobResult(state), Id(run), number))
    return found


def versions_of(connection: Connection, message_id: Id) -> list[VersionEntry]:
    """The versions of a message, oldest first."""
    return [
        VersionEntry(version, inserted_at, Id(author) if author else None, size_bytes, wiped_at)
        for version, inserted_at, author, size_bytes, wiped_at in connection.fetch("version_entries", id=message_id)
    ]


def message_with_version(connection: Connection, message_id: Id, version: int | None) -> tuple[Message, MessageVersion | None] | None:
    """A message and one of its versions, the newest where none is named; None when there is no such message."""
    found = connection.load(Message, "message_read", id=message_id)
    if not found:
        return None
    wanted = found[0].newest_version if version is None else version
    versions = connection.load(MessageVersion, "version_stored", message_id=message_id, version=wanted)
    return found[0], versions[0] if versions else None


def newest_bodies(connection: Connection, messages: Sequence[Message]) -> dict[Id, MessageVersion]:
    """The newest versions of these messages, bodies and all: for a preview of filters."""
    if not messages:
        return {}
    found = connection.load(MessageVersion, "newest_versions", ids=[message.id for message in messages])
    return {version.message_id: version for version in found}


def _conditions(query: MessageQuery, part: Slice) -> Conditions:
    conditions = Conditions()
    conditions.add("message.project_id = ?", query.project_id)
    _narrow(conditions, query, part.before, "message.id")
    conditions.one_of("message.inbox_id", query.inbox_ids)
    if query.trigger_ids is not None:
        started = Conditions(["work_order.message_id = message.id"])
        started.one_of("work_order.trigger_id", query.trigger_ids)
        conditions.add(f"EXISTS (SELECT 1 FROM work_order WHERE {started.where})", *started.values)
    if query.job_states is not None:
        _with_job_states(conditions, query, part)
    elif query.job_ids is not None:
        concerned = Conditions(["job_state.message_id = message.id"])
        concerned.one_of("job_state.job_id", query.job_ids)
        conditions.add(f"EXISTS (SELECT 1 FROM job_state WHERE {concerned.where})", *concerned.values)
    return conditions


def _narrow(conditions: Conditions, query: MessageQuery, before: Id | None, column: str) -> None:
    conditions.one_of(column, query.ids)
    conditions.between(column, *moments(query.received_after, query.received_before))
    conditions.before(column, before)


def _with_job_states(conditions: Conditions, query: MessageQuery, part: Slice) -> None:
    """By the index of job-states: what failed is rare, and must not be looked for among all that succeeded."""
    branches = []
    # What stands on the message itself is asked here too, else the bound would cut before it is applied.
    simple = query.inbox_ids is None and query.trigger_ids is None
    for state in sorted(query.job_states or ()):
        branch = Conditions()
        branch.add("job_state.project_id = ? AND job_state.state = ?", query.project_id, int(state))
        branch.one_of("job_state.job_id", query.job_ids)
        _narrow(branch, query, part.before, "job_state.message_id")
        bound = f" ORDER BY job_state.message_id DESC LIMIT {int(part.at_most)}" if simple else ""
        branches.append(
            f"SELECT message_id FROM (SELECT DISTINCT job_state.message_id FROM job_state WHERE {branch.where}{bound}) AS newest"
        )
        conditions.values.extend(branch.values)
    conditions.texts.append(f"message.id IN ({' UNION '.join(branches)})" if branches else "1 = 0")
