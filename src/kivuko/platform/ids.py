"""The platform's keys: UUIDv7, 16 bytes in both databases, ``kivuko.records.Id`` in Python."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import models

from kivuko.records import Id

__all__ = ["IdField", "read_id"]

_ST = TypeVar("_ST", contravariant=True)
_GT = TypeVar("_GT", covariant=True)

if TYPE_CHECKING:
    _Field = models.Field
else:

    class _Field(models.Field):
        __class_getitem__ = classmethod(lambda cls, types: cls)


class IdField(_Field[_ST, _GT]):
    """A column of ids: ``uuid`` on PostgreSQL, a blob of 16 bytes on SQLite (Django's own is text there)."""

    # Read by mypy's plugin.
    _pyi_private_set_type: Id | str
    _pyi_private_get_type: Id

    description = "UUIDv7"
    empty_strings_allowed = False

    def deconstruct(self) -> Any:
        """For migrations: where a new row's id comes from is no part of the table."""
        name, path, arguments, options = super().deconstruct()
        return name, path, arguments, {key: value for key, value in options.items() if key not in ("default", "editable")}

    def db_type(self, connection: Any) -> str:
        """The column's type in the database."""
        return "uuid" if connection.vendor == "postgresql" else "blob"

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Id | None:
        """The id that the database gave."""
        return None if value is None else Id(value.bytes if isinstance(value, uuid.UUID) else bytes(value))

    def to_python(self, value: Any) -> Id | None:
        """The id of bytes, of a UUID or of a text. Raises Django's ValidationError for what is none."""
        if value is None or isinstance(value, Id):
            return value
        try:
            return Id.parse(value) if isinstance(value, str) else Id(value.bytes if isinstance(value, uuid.UUID) else bytes(value))
        except (ValueError, TypeError) as error:
            raise ValidationError(f"{value!r} is no id") from error

    def get_prep_value(self, value: Any) -> Any:
        """The id of whatever was given."""
        return self.to_python(super().get_prep_value(value))

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        """What the database's driver takes."""
        found = value if prepared else self.get_prep_value(value)
        if found is None:
            return None
        return uuid.UUID(bytes=bytes(found)) if connection.vendor == "postgresql" else bytes(found)

    def value_to_string(self, obj: models.Model) -> str:
        """The id's text, for sessions and fixtures."""
        return str(self.value_from_object(obj))


def read_id(text: object) -> Id | None:
    """The id that a text names; None when it is none."""
    if isinstance(text, Id):
        return text
    try:
        return Id.parse(text) if isinstance(text, str) else None
    except ValueError:
        return None
