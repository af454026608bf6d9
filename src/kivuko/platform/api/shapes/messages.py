"""Messages on the wire."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field

from kivuko.platform.accounts.models import User
from kivuko.platform.api.payloads import Payload, described
from kivuko.platform.api.shapes.runs import job_names
from kivuko.platform.api.shapes.words import JobStateWord, job_state
from kivuko.platform.api.wire import IdText, Moment, Wire
from kivuko.records import Id, Message, MessageVersion
from kivuko.records.database import Connection
from kivuko.records.listing_messages import JobResultOf, job_states_of, versions_of

__all__ = ["JobStateShape", "Match", "MessageItem", "MessageWhole", "Request", "Version", "message_items", "message_whole"]


class JobStateShape(Wire):
    """The result of the last Run of a job for a message: ``Payment (failure - run 2)`` is job name, state, run number."""

    job_id: IdText
    job_name: str | None
    state: JobStateWord
    run_id: IdText
    run_number: int | None


class MessageItem(Wire):
    """A message in a list."""

    id: IdText
    received_at: Moment
    project_id: IdText
    inbox_id: IdText | None
    trigger_id: IdText | None = Field(description="The webhook trigger that it came to; null when it came to an inbox.")
    method: str | None
    content_type: str | None
    size_bytes: int
    newest_version: int
    duplicate_of: IdText | None
    job_states: list[JobStateShape]


class Request(Wire):
    """The request as it came, without secrets."""

    method: str | None
    path: list[str]
    query: str
    query_params: dict[str, Any]
    headers: dict[str, str]
    source_ip: str | None
    auth_method: str | None


class Version(Wire):
    """A version of the body: 1 as received, later ones are edits."""

    version: int
    inserted_at: Moment
    author: str | None
    size_bytes: int
    wiped: bool


class Match(Wire):
    """A job whose trigger's filter matches the newest version now; ``enabled`` tells whether a message would start it by itself."""

    job_id: IdText
    job_name: str
    workflow_id: IdText
    workflow_name: str
    trigger_id: IdText
    enabled: bool


class MessageWhole(MessageItem):
    """A message with everything about it."""

    request: Request
    versions: list[Version]
    body: Payload | None
    matches: list[Match]


def message_items(connection: Connection, messages: Sequence[Message]) -> list[MessageItem]:
    """Messages for a list: two statements more, however many they are."""
    states = job_states_of(connection, [message.id for message in messages])
    names = job_names({state.job_id for found in states.values() for state in found})
    return [MessageItem(**_members(message, states.get(message.id, []), names)) for message in messages]


def message_whole(connection: Connection, message: Message, newest: MessageVersion | None, matches: Sequence[Match]) -> MessageWhole:
    """One message."""
    states = job_states_of(connection, [message.id]).get(message.id, [])
    stored = _request(message)
    request = Request(
        method=stored.get("method"),
        path=stored.get("path") or [],
        query=stored.get("query") or "",
        query_params=stored.get("query_params") or {},
        headers=stored.get("headers") or {},
        source_ip=message.source_ip,
        auth_method=message.auth_method,
    )
    return MessageWhole(
        **_members(message, states, job_names({state.job_id for state in states})),
        request=request,
        versions=_versions(connection, message),
        body=described(newest, message.content_type) if newest else None,
        matches=list(matches),
    )


def _versions(connection: Connection, message: Message) -> list[Version]:
    entries = versions_of(connection, message.id)
    ids = sorted({entry.author_id for entry in entries if entry.author_id})
    authors: Mapping[Id, str] = dict(User.objects.filter(id__in=ids).values_list("id", "email")) if ids else {}
    return [
        Version(
            version=entry.version,
            inserted_at=entry.inserted_at,
            author=authors.get(entry.author_id) if entry.author_id else None,
            size_bytes=entry.size_bytes,
            wiped=entry.wiped_at is not None,
        )
        for entry in entries
    ]


def _members(message: Message, states: Sequence[JobResultOf], names: Mapping[Id, str]) -> dict[str, Any]:
    return {
        "id": message.id,
        "received_at": message.id.made_at_us,
        "project_id": message.project_id,
        "inbox_id": message.inbox_id,
        "trigger_id": message.trigger_id,
        "method": _request(message).get("method"),
        "content_type": message.content_type,
        "size_bytes": message.size_bytes,
        "newest_version": message.newest_version,
        "duplicate_of": message.duplicate_of,
        "job_states": [
            JobStateShape(
                job_id=state.job_id,
                job_name=names.get(state.job_id),
                state=job_state(state.state),
                run_id=state.run_id,
                run_number=state.run_number,
            )
            for state in states
        ],
    }


def _request(message: Message) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(message.request) if message.request else {}
    return found
