"""Who I am, my tokens, what I was told."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, cast

from django.http import HttpRequest
from ninja import Query, Router
from ninja.responses import Status
from pydantic import ConfigDict, Field

from kivuko.errors import Forbidden, ValidationFailed
from kivuko.platform.accounts.models import ApiToken, Membership
from kivuko.platform.accounts.tokens import new_token, revoke_token
from kivuko.platform.api.answers import json_answer
from kivuko.platform.api.authentication import actor_of
from kivuko.platform.api.context import platform
from kivuko.platform.api.pages import ListQuery, Page, count_up_to, orm_page
from kivuko.platform.api.wire import IdText, Moment, Wire, datetime_us
from kivuko.records import Id

__all__ = ["router"]

router = Router(tags=["me"])


class Person(Wire):
    """The one who asks."""

    id: IdText
    email: str
    name: str
    is_superuser: bool


class ProjectRole(Wire):
    """A project of mine, and what I am in it."""

    id: IdText
    name: str
    role: Literal["owner", "admin", "editor", "viewer"]


class Me(Wire):
    """The one who asks, the scopes of the token (`*`: all that its owner may), the projects with roles."""

    user: Person
    token_id: IdText | None
    scopes: list[str]
    projects: list[ProjectRole]


class TokenItem(Wire):
    """A token without its text; `prefix` tells tokens apart."""

    id: IdText
    name: str
    prefix: str
    expires_at: Moment | None
    last_used_at: Moment | None
    inserted_at: Moment


class TokenMade(TokenItem):
    """A token that was just made: its text is shown this once."""

    token: str


class NewToken(Wire):
    """What a new token is called, and when it ends."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "nightly export"}]})

    name: Annotated[str, Field(min_length=1, max_length=100, examples=["nightly export"])]
    expires_at: Moment | None = None


@router.get("/me", response=Me, summary="Who am I")
def read_me(request: HttpRequest) -> Any:
    """The user, the token's scopes, the projects with roles."""
    actor = actor_of(request)
    mine = Membership.objects.filter(user_id=actor.user_id, project__deleted_at__isnull=True).select_related("project")
    roles = [ProjectRole(id=each.project_id, name=each.project.name, role=cast(Any, each.role)) for each in mine.order_by("project__name")]
    person = Person(id=_user_id(request), email=actor.email, name=actor.name, is_superuser=actor.is_superuser)
    return Me(user=person, token_id=actor.token_id, scopes=["*"], projects=roles)


@router.get("/tokens", response=Page[TokenItem], summary="List my tokens")
def list_tokens(request: HttpRequest, query: Query[ListQuery]) -> Any:
    """Newest first."""
    mine = ApiToken.objects.filter(user_id=_user_id(request))
    rows, cursor = orm_page(mine, query)
    items = [TokenItem(**_token(row)) for row in rows]
    return Page[TokenItem](items=items, next_cursor=cursor, **count_up_to(query.count, lambda most: mine[:most].count()))


@router.post("/tokens", response={201: TokenMade}, summary="Make a token")
def create_token(request: HttpRequest, given: NewToken) -> Any:
    """The answer shows the token, this once."""
    user_id = _user_id(request)
    if given.expires_at is not None and given.expires_at <= platform().now_us():
        raise ValidationFailed(errors={"expires_at": ["must be in the future"]})
    ends = datetime.fromtimestamp(given.expires_at / 1_000_000, UTC) if given.expires_at is not None else None
    made = new_token(user_id, given.name, actor=actor_of(request), expires_at=ends)
    row = ApiToken.objects.get(id=made.id)
    return json_answer(request, TokenMade(**_token(row), token=made.text), 201, at=f"tokens/{made.id}")


@router.delete("/tokens/{token_id}", response={204: None}, summary="Delete a token")
def delete_token(request: HttpRequest, token_id: IdText) -> Any:
    """It is dead at once."""
    revoke_token(_user_id(request), token_id, actor=actor_of(request))
    return Status(204, None)


def _user_id(request: HttpRequest) -> Id:
    found = actor_of(request).user_id
    if found is None:
        raise Forbidden("this is for people")
    return found


def _token(row: ApiToken) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "prefix": row.prefix,
        "expires_at": datetime_us(row.expires_at) if row.expires_at else None,
        "last_used_at": datetime_us(row.last_used_at) if row.last_used_at else None,
        "inserted_at": datetime_us(row.inserted_at),
    }
