"""Messages: the inbox, one message, its versions and runs."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any

import orjson
from django.http import HttpRequest
from ninja import Query, Router
from pydantic import ConfigDict, Field

from kivuko.errors import BodyWiped, ObjectMissing, ValidationFailed
from kivuko.platform.accounts.policies import Action
from kivuko.platform.api.access import found, require
from kivuko.platform.api.answers import json_answer
from kivuko.platform.api.authentication import actor_of
from kivuko.platform.api.bodies import member_text
from kivuko.platform.api.context import platform, write
from kivuko.platform.api.matching import matches_of, starts_of
from kivuko.platform.api.pages import ListQuery, Page, count_up_to, cursor_id, id_page
from kivuko.platform.api.payloads import body_answer, body_bytes
from kivuko.platform.api.searching import message_finder, searched
from kivuko.platform.api.shapes.messages import MessageItem, MessageWhole, message_items, message_whole
from kivuko.platform.api.shapes.runs import RunItem, run_items
from kivuko.platform.api.shapes.words import JobStateWord, result_of
from kivuko.platform.api.starting import RunsStarted, start_job
from kivuko.platform.api.wire import IdText, Moment, Wire
from kivuko.platform.inbox.models import Inbox
from kivuko.records import Edit, Id, Ingest, Input, Message, MessageVersion, new_id
from kivuko.records.database import Connection
from kivuko.records.listing import Slice
from kivuko.records.listing_messages import MessageQuery, count_messages, list_messages, message_with_version
from kivuko.records.listing_runs import RunQuery, count_runs, list_runs
from kivuko.workflow.filters import read_json

__all__ = ["MessageFilters", "message_query", "router"]

router = Router(tags=["messages"])

_SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "x-api-key", "cookie"})


class MessageFilters(ListQuery):
    """Which messages; several values of one filter mean any of them."""

    inbox_id: list[IdText] | None = None
    trigger_id: Annotated[list[IdText] | None, Field(description="Triggers that the message started.")] = None
    job_id: list[IdText] | None = None
    job_state: Annotated[list[JobStateWord] | None, Field(description="Of any job, or of those in `job_id`.")] = None
    received_after: Annotated[Moment | None, Field(description="At this time or later.")] = None
    received_before: Annotated[Moment | None, Field(description="Before this time.")] = None
    q: Annotated[str | None, Field(min_length=1, max_length=200, description="Text in the body.")] = None


class Post(Wire):
    """A message posted by hand, as a sender would."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"inbox_id": "0192f0a1-0000-7000-8000-0000000000aa", "body": {"form": {"case": {"@case_id": "c1"}}}}]
        }
    )

    inbox_id: IdText
    body: Any
    headers: Annotated[dict[str, str], Field(default_factory=dict)]


class NewBody(Wire):
    """A new version of a message's body."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"body": {"form": {"case": {"@case_id": "c1", "amount": 12}}}}]})

    body: Any


class VersionMade(Wire):
    """The number of the new version."""

    version: int


class JobToRun(Wire):
    """Which job is run on the message, and on which version (the newest, unless named)."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"job_id": "0192f0a1-0000-7000-8000-000000000002"}]})

    job_id: IdText
    version: Annotated[int | None, Field(ge=1, le=2**31 - 1)] = None


class VersionQuery(Wire):
    """Which version of the body."""

    version: Annotated[int | None, Field(ge=1, le=2**31 - 1)] = None


def message_query(project_id: Id, filters: MessageFilters) -> MessageQuery:
    """The records' question for these filters."""
    return MessageQuery(
        project_id,
        inbox_ids=filters.inbox_id,
        trigger_ids=filters.trigger_id,
        job_ids=filters.job_id,
        job_states=None if filters.job_state is None else {result_of(state) for state in filters.job_state},
        received_after=filters.received_after,
        received_before=filters.received_before,
    )


def messages_of(connection: Connection, query: MessageQuery, text: str | None, part: Slice) -> list[Message]:
    """A slice of the messages that pass the filters and hold the text."""
    finder = message_finder(query.project_id, text) if text else None
    return searched(finder, query, part.before, part.at_most, lambda asked: list_messages(connection, asked, part))


@router.get("/projects/{project_id}/messages", response=Page[MessageItem], summary="List messages")
def list_messages_of_project(request: HttpRequest, project_id: IdText, filters: Query[MessageFilters]) -> Any:
    """Newest first, each with its job-states."""
    require(request, project_id)
    query = message_query(project_id, filters)
    with platform().records.reading() as connection:
        part = Slice(filters.limit + 1, cursor_id(filters.cursor))
        messages, cursor = id_page(messages_of(connection, query, filters.q, part), filters.limit, lambda message: message.id)
        counted = count_up_to(filters.count, lambda at_most: _count(connection, query, filters.q, at_most))
        return Page[MessageItem](items=message_items(connection, messages), next_cursor=cursor, **counted)


@router.post("/projects/{project_id}/messages", response={201: MessageWhole}, summary="Post a message by hand")
def post_message(request: HttpRequest, project_id: IdText, given: Post) -> Any:
    """As a sender would: it starts the jobs whose triggers match and are on."""
    require(request, project_id, Action.RUN)
    inbox = Inbox.objects.filter(id=given.inbox_id, project_id=project_id).first()
    if inbox is None:
        raise ValidationFailed(errors={"inbox_id": ["names no inbox of this project"]})
    text = member_text(request.body, "body").encode()
    if len(text) > inbox.body_limit_bytes:
        raise ValidationFailed(errors={"body": [f"has more than {inbox.body_limit_bytes} bytes, the inbox's limit"]})
    message_id = _ingest(request, project_id, given, text)
    with platform().records.reading() as connection:
        return json_answer(request, _whole(connection, *_message(connection, message_id)), 201, at=f"messages/{message_id}")


@router.get("/messages/{message_id}", response=MessageWhole, summary="Read a message")
def read_one_message(request: HttpRequest, message_id: IdText) -> Any:
    """Request, versions, the beginning of the body, the jobs that match now, the job-states."""
    with platform().records.reading() as connection:
        message, newest = _message(connection, message_id)
        require(request, message.project_id)
        return _whole(connection, message, newest)


@router.get("/messages/{message_id}/body", response={200: None}, summary="Download the body of a message")
def read_message_body(request: HttpRequest, message_id: IdText, query: Query[VersionQuery]) -> Any:
    """The bytes of a version: JSON, whatever the sender's form was."""
    with platform().records.reading() as connection:
        message, stored = _message(connection, message_id, query.version)
        require(request, message.project_id)
        if stored is None:
            raise _no_version(message, query.version)
        return body_answer(request, body_bytes(stored), name=f"message-{message_id}-{stored.version}.json")


@router.post("/messages/{message_id}/versions", response={201: VersionMade}, summary="Edit a message")
def create_version(request: HttpRequest, message_id: IdText, given: NewBody) -> Any:
    """A new version; the first is never changed."""
    with platform().records.reading() as connection:
        message, _ = _message(connection, message_id, 1)
    require(request, message.project_id, Action.RUN)
    text = member_text(request.body, "body").encode()
    version = write(Edit(_version(message, message.newest_version + 1, text, actor_of(request).user_id)))
    return json_answer(request, VersionMade(version=version), 201, at=f"messages/{message_id}/body?version={version}")


@router.get("/messages/{message_id}/runs", response=Page[RunItem], summary="List the runs of a message")
def list_runs_of_message(request: HttpRequest, message_id: IdText, query: Query[ListQuery]) -> Any:
    """Every run, newest first."""
    with platform().records.reading() as connection:
        message, _ = _message(connection, message_id, 1)
        require(request, message.project_id)
        asked = RunQuery(message.project_id, message_ids=[message_id])
        rows = list_runs(connection, asked, Slice(query.limit + 1, cursor_id(query.cursor)))
        runs, cursor = id_page(rows, query.limit, lambda run: run.id)
        counted = count_up_to(query.count, lambda at_most: count_runs(connection, asked, at_most))
        return Page[RunItem](items=run_items(connection, runs), next_cursor=cursor, **counted)


@router.post("/messages/{message_id}/runs", response={201: RunsStarted}, summary="Run a job on a message")
def run_job_on_message(request: HttpRequest, message_id: IdText, given: JobToRun) -> Any:
    """The job as it is now, on or off; 429 `too_soon` within ten seconds of its last start."""
    with platform().records.reading() as connection:
        message, stored = _message(connection, message_id, given.version)
    require(request, message.project_id, Action.RUN)
    if stored is None:
        raise _no_version(message, given.version)
    started = start_job(message.project_id, given.job_id, Input(message_id, given.version))
    shape = RunsStarted(work_order_id=started.work_order_id, attempt_id=started.attempt_id, run_id=started.run_ids[0])
    return json_answer(request, shape, 201, at=f"runs/{started.run_ids[0]}")


def _message(connection: Connection, message_id: Id, version: int | None = None) -> tuple[Message, MessageVersion | None]:
    return found(message_with_version(connection, message_id, version))


def _whole(connection: Connection, message: Message, newest: MessageVersion | None) -> MessageWhole:
    return message_whole(connection, message, newest, matches_of(message, newest))


def _no_version(message: Message, version: int | None) -> Exception:
    if version is not None and version > message.newest_version:
        return ObjectMissing(f"the message has {message.newest_version} versions", fix="Name one of them, or none for the newest.")
    return BodyWiped("this version was purged", fix="Retention took it away.")


def _ingest(request: HttpRequest, project_id: Id, given: Post, text: bytes) -> Id:
    message_id = new_id()
    kept = {name.lower(): value for name, value in given.headers.items() if name.lower() not in _SECRET_HEADERS}
    about = {"method": "POST", "path": ["inbox"], "query": "", "query_params": {}, "headers": kept}
    message = Message(
        id=message_id,
        project_id=project_id,
        inbox_id=given.inbox_id,
        request=orjson.dumps(about),
        content_type="application/json",
        source_ip=request.META.get("REMOTE_ADDR"),
        auth_method="by hand",
        size_bytes=len(text),
        sha256=hashlib.sha256(text).digest(),
    )
    starts = starts_of(given.inbox_id, read_json(text))
    write(Ingest(message, _version(message, 1, text, actor_of(request).user_id), tuple(starts)))
    return message_id


def _version(message: Message, number: int, text: bytes, author_id: Id | None) -> MessageVersion:
    # An edit's object must not take the place of an earlier version's.
    stored = platform().records.payloads.store(message.id if number == 1 else new_id(), text)
    return MessageVersion(
        message_id=message.id,
        version=number,
        project_id=message.project_id,
        encoding=stored.encoding,
        body=stored.body,
        object_key=stored.object_key,
        size_bytes=stored.size_bytes,
        inserted_at=platform().now_us(),
        author_id=author_id,
    )


def _count(connection: Connection, query: MessageQuery, text: str | None, at_most: int) -> int:
    return len(messages_of(connection, query, text, Slice(at_most))) if text else count_messages(connection, query, at_most)
