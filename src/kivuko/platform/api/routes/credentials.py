"""Credentials: written, never read back."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Body, Query, Router
from ninja.responses import Status
from pydantic import ConfigDict, Field

from kivuko.platform.accounts.policies import Action
from kivuko.platform.api.access import require
from kivuko.platform.api.answers import json_answer
from kivuko.platform.api.authentication import actor_of
from kivuko.platform.api.pages import ListQuery, Page, count_up_to, orm_page
from kivuko.platform.api.versions import check_version, wanted_version
from kivuko.platform.api.wire import IdText, Wire
from kivuko.platform.credentials.bodies import (
    CredentialValue,
    create_credential,
    credential_value,
    delete_credential,
    update_credential,
)
from kivuko.platform.credentials.models import Credential

__all__ = ["router"]

router = Router(tags=["credentials"], by_alias=True)


class CredentialWritten(Wire):
    """A credential as it is written: `body` is what jobs see as `state.configuration`."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "DHIS2 of the ministry", "schema": "dhis2", "body": {"username": "u", "password": "p"}}]}
    )

    id: IdText | None = None
    name: str
    schema_: Annotated[str, Field(alias="schema", description="An adaptor's short name, or `raw`.")] = "raw"
    external_id: str | None = None
    body: dict[str, Any]


class CredentialShape(Wire):
    """A credential without its body; `keys` are the names of its values."""

    id: IdText
    project_id: IdText
    name: str
    schema_: Annotated[str, Field(alias="schema")]
    external_id: str | None
    keys: list[str]
    lock_version: int


Written = Annotated[dict[str, Any], Body()]


@router.get("/projects/{project_id}/credentials", response=Page[CredentialShape], summary="List credentials")
def list_credentials(request: HttpRequest, project_id: IdText, query: Query[ListQuery]) -> Any:
    """Newest first."""
    require(request, project_id)
    there = Credential.objects.filter(project_id=project_id)
    rows, cursor = orm_page(there.defer("sealed"), query)
    items = [_row_json(row) for row in rows]
    return json_answer(request, {"items": items, "next_cursor": cursor, **count_up_to(query.count, lambda most: there[:most].count())})


@router.post(
    "/projects/{project_id}/credentials",
    response={201: CredentialShape},
    summary="Create a credential",
    openapi_extra={"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/CredentialWritten"}}}}},
)
def create_one_credential(request: HttpRequest, project_id: IdText, written: Written) -> Any:
    """The body is encrypted, and never read back."""
    require(request, project_id, Action.USE_CREDENTIALS)
    made = create_credential(project_id, written, actor=actor_of(request))
    return json_answer(request, _json(made), 201, at=f"credentials/{made.id}", version=made.lock_version)


@router.patch(
    "/credentials/{credential_id}",
    response=CredentialShape,
    summary="Change a credential",
    openapi_extra={"requestBody": {"content": {"application/json": {"schema": {"type": "object", "examples": [{"name": "DHIS2"}]}}}}},
)
def change_credential(request: HttpRequest, credential_id: IdText, patch: Written) -> Any:
    """What is absent stays; a `body` replaces the whole one."""
    before = credential_value(credential_id)
    require(request, before.project_id, Action.USE_CREDENTIALS)
    version = wanted_version(request, patch.get("lock_version"), lambda: _json(before))
    changed = update_credential(credential_id, patch, actor=actor_of(request), lock_version=version)
    return json_answer(request, _json(changed), version=changed.lock_version)


@router.delete("/credentials/{credential_id}", response={204: None}, summary="Delete a credential")
def delete_one_credential(request: HttpRequest, credential_id: IdText) -> Any:
    """Refused with 409 while a job uses it."""
    before = credential_value(credential_id)
    require(request, before.project_id, Action.USE_CREDENTIALS)
    check_version(request, None, before.lock_version, lambda: _json(before))
    delete_credential(credential_id, actor=actor_of(request))
    return Status(204, None)


def _json(value: CredentialValue) -> dict[str, Any]:
    return {**value.as_json(), "project_id": str(value.project_id)}


def _row_json(row: Credential) -> dict[str, Any]:
    value = CredentialValue(row.id, row.project_id, row.name, row.schema, row.external_id, tuple(row.keys), row.lock_version)
    return _json(value)
