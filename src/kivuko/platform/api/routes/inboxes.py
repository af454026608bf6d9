"""Inboxes and the authentication methods of senders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Body, Query, Router
from ninja.responses import Status
from pydantic import ConfigDict, Field

from kivuko.platform.accounts.policies import Action, may
from kivuko.platform.api.access import found, require
from kivuko.platform.api.answers import json_answer
from kivuko.platform.api.authentication import actor_of
from kivuko.platform.api.context import platform
from kivuko.platform.api.pages import ListQuery, Page, count_up_to, orm_page
from kivuko.platform.api.versions import check_version, wanted_version
from kivuko.platform.api.wire import IdText, Wire
from kivuko.platform.inbox.authentication import create_auth_method, delete_auth_method
from kivuko.platform.inbox.changing import (
    InboxValue,
    create_inbox,
    delete_inbox,
    inbox_url,
    inbox_value,
    rotate_inbox,
    update_inbox,
)
from kivuko.platform.inbox.models import AuthMethod, Inbox, InboxSecret
from kivuko.platform.sealing import open_from
from kivuko.records import Id

__all__ = ["router"]

router = Router(tags=["inboxes"])


class Idempotency(Wire):
    """What makes two requests the same: a header or a path into the body, and for how long."""

    header: str | None = None
    path: str | None = None
    window_s: int = 86_400


class InboxWritten(Wire):
    """An inbox as it is written."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "forms", "idempotency": {"header": "Idempotency-Key"}}]})

    id: IdText | None = None
    name: str
    auth_method_ids: Annotated[list[IdText], Field(default_factory=list, description="Any one suffices; none: the address is the secret.")]
    idempotency: Idempotency | None = None
    body_limit_bytes: int = 10 * 1024 * 1024
    reply: Literal["before_start", "after_completion"] = "before_start"


class InboxShape(InboxWritten):
    """An inbox as it is."""

    id: IdText
    project_id: IdText
    url: Annotated[str | None, Field(description="Whoever has it may post; null for who may not see it.")]
    lock_version: int


class Rotate(Wire):
    """How long the old address goes on to work."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"overlap_s": 86400}]})

    overlap_s: Annotated[int, Field(ge=0, le=90 * 24 * 3600)] = 0


class AuthMethodWritten(Wire):
    """An authentication method as it is written; without a `secret` one is made."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "form system", "kind": "api_key"}]})

    id: IdText | None = None
    name: str
    kind: Literal["api_key", "basic"] = "api_key"
    username: str | None = None
    secret: str | None = None


class AuthMethodShape(Wire):
    """An authentication method without its secret."""

    id: IdText
    project_id: IdText
    name: str
    kind: Literal["api_key", "basic"]
    username: str | None


class AuthMethodMade(AuthMethodShape):
    """One that was just made: its secret (the key, or the password) is shown this once."""

    secret: str


Written = Annotated[dict[str, Any], Body()]


def _body(name: str) -> dict[str, Any]:
    return {"requestBody": {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}}}


@router.get("/projects/{project_id}/inboxes", response=Page[InboxShape], summary="List inboxes")
def list_inboxes(request: HttpRequest, project_id: IdText, query: Query[ListQuery]) -> Any:
    """Newest first."""
    role = require(request, project_id)
    there = Inbox.objects.filter(project_id=project_id)
    rows, cursor = orm_page(there, query)
    urls = _urls([row.id for row in rows]) if may(role, Action.SEE_ADDRESSES) else {}
    items = [_json(_value(row), urls.get(row.id)) for row in rows]
    return json_answer(request, {"items": items, "next_cursor": cursor, **count_up_to(query.count, lambda most: there[:most].count())})


@router.post("/projects/{project_id}/inboxes", response={201: InboxShape}, summary="Create an inbox", openapi_extra=_body("InboxWritten"))
def create_one_inbox(request: HttpRequest, project_id: IdText, written: Written) -> Any:
    """One more address to post to."""
    require(request, project_id, Action.MANAGE_INBOXES)
    made = create_inbox(project_id, written, actor=actor_of(request))
    return json_answer(request, _json(made, inbox_url(made.id)), 201, at=f"inboxes/{made.id}", version=made.lock_version)


@router.get("/inboxes/{inbox_id}", response=InboxShape, summary="Read an inbox")
def read_inbox(request: HttpRequest, inbox_id: IdText) -> Any:
    """One inbox."""
    value = inbox_value(inbox_id)
    role = require(request, value.project_id)
    url = inbox_url(inbox_id) if may(role, Action.SEE_ADDRESSES) else None
    return json_answer(request, _json(value, url), version=value.lock_version)


@router.patch(
    "/inboxes/{inbox_id}",
    response=InboxShape,
    summary="Change an inbox",
    openapi_extra={"requestBody": {"content": {"application/json": {"schema": {"type": "object", "examples": [{"name": "forms"}]}}}}},
)
def change_inbox(request: HttpRequest, inbox_id: IdText, patch: Written) -> Any:
    """A JSON merge patch."""
    before = inbox_value(inbox_id)
    require(request, before.project_id, Action.MANAGE_INBOXES)
    version = wanted_version(request, patch.get("lock_version"), lambda: _json(before, None))
    changed = update_inbox(inbox_id, patch, actor=actor_of(request), lock_version=version)
    return json_answer(request, _json(changed, inbox_url(inbox_id)), version=changed.lock_version)


@router.delete("/inboxes/{inbox_id}", response={204: None}, summary="Delete an inbox")
def delete_one_inbox(request: HttpRequest, inbox_id: IdText) -> Any:
    """Its messages stay. Refused with 409 while a trigger looks at it."""
    before = inbox_value(inbox_id)
    require(request, before.project_id, Action.MANAGE_INBOXES)
    check_version(request, None, before.lock_version, lambda: _json(before, None))
    delete_inbox(inbox_id, actor=actor_of(request))
    return Status(204, None)


@router.post("/inboxes/{inbox_id}/rotate", response=InboxShape, summary="Rotate the address of an inbox")
def rotate_one_inbox(request: HttpRequest, inbox_id: IdText, given: Rotate) -> Any:
    """A new secret address; the old one works for the overlap."""
    value = inbox_value(inbox_id)
    require(request, value.project_id, Action.MANAGE_INBOXES)
    url = rotate_inbox(inbox_id, given.overlap_s, actor=actor_of(request))
    return json_answer(request, _json(value, url), version=value.lock_version)


@router.get("/projects/{project_id}/auth_methods", response=Page[AuthMethodShape], summary="List authentication methods")
def list_auth_methods(request: HttpRequest, project_id: IdText, query: Query[ListQuery]) -> Any:
    """Newest first."""
    require(request, project_id)
    there = AuthMethod.objects.filter(project_id=project_id)
    rows, cursor = orm_page(there.defer("sealed"), query)
    items = [AuthMethodShape(**_method(row)) for row in rows]
    return Page[AuthMethodShape](items=items, next_cursor=cursor, **count_up_to(query.count, lambda most: there[:most].count()))


@router.post(
    "/projects/{project_id}/auth_methods",
    response={201: AuthMethodMade},
    summary="Create an authentication method",
    openapi_extra=_body("AuthMethodWritten"),
)
def create_one_auth_method(request: HttpRequest, project_id: IdText, written: Written) -> Any:
    """The answer shows the secret, this once."""
    require(request, project_id, Action.MANAGE_AUTH_METHODS)
    made = create_auth_method(project_id, written, actor=actor_of(request))
    return json_answer(request, AuthMethodMade(**_method(made), secret=made.secret or ""), 201, at=f"auth_methods/{made.id}")


@router.delete("/auth_methods/{auth_method_id}", response={204: None}, summary="Delete an authentication method")
def delete_one_auth_method(request: HttpRequest, auth_method_id: IdText) -> Any:
    """Its secret is dead at once."""
    row = found(AuthMethod.objects.filter(id=auth_method_id, project__deleted_at__isnull=True).defer("sealed").first())
    require(request, row.project_id, Action.MANAGE_AUTH_METHODS)
    delete_auth_method(auth_method_id, actor=actor_of(request))
    return Status(204, None)


def _urls(inbox_ids: list[Id]) -> Mapping[Id, str]:
    """The addresses of inboxes: one statement."""
    rows = InboxSecret.objects.filter(inbox_id__in=inbox_ids, ends_at__isnull=True)
    return {row.inbox_id: f"{platform().public_url}/inbox/{open_from(row, row.sealed).decode()}" for row in rows}


def _value(row: Inbox) -> InboxValue:
    ids = tuple(Id.parse(each) for each in row.auth_method_ids)
    return InboxValue(row.id, row.project_id, row.name, ids, row.idempotency, row.body_limit_bytes, row.reply, row.lock_version)


def _json(value: InboxValue, url: str | None) -> dict[str, Any]:
    return {**value.as_json(), "project_id": str(value.project_id), "url": url}


def _method(row: Any) -> dict[str, Any]:
    return {"id": row.id, "project_id": row.project_id, "name": row.name, "kind": row.kind, "username": row.username}
