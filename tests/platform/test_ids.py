"""Ids of the platform's tables."""

from __future__ import annotations

import uuid

import pytest
from django.core.exceptions import ValidationError

from kivuko.platform.accounts.models import User
from kivuko.platform.ids import IdField, read_id
from kivuko.records import Id, new_id

FIELD: IdField[Id, Id] = IdField()


@pytest.mark.parametrize(
    "form", [str, bytes, lambda found: uuid.UUID(bytes=bytes(found)), lambda found: found], ids=["text", "bytes", "uuid", "id"]
)
def test_an_id_may_be_given_in_any_usual_form(form: object) -> None:
    found = new_id()
    assert FIELD.to_python(form(found)) == found  # type: ignore[operator]


@pytest.mark.parametrize("value", ["x", b"short", 7, "0192-"], ids=repr)
def test_what_is_no_id_is_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        FIELD.to_python(value)


def test_an_id_is_text_in_a_session() -> None:
    user = User(id=new_id())
    field = User._meta.get_field("id")
    assert isinstance(field, IdField)
    assert field.value_to_string(user) == str(user.id)


def test_read_id_gives_none_for_what_is_no_id() -> None:
    found = new_id()
    assert read_id(str(found)) == found == read_id(found)
    assert [read_id(value) for value in ("x", 7, None, b"0")] == [None] * 4


def test_where_an_id_comes_from_is_no_part_of_a_migration() -> None:
    assert IdField(primary_key=True, default=new_id, editable=False).deconstruct()[3] == {"primary_key": True}
