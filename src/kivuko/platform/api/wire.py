"""Values as the wire has them: ids as lower-case UUID texts, times as RFC 3339 with microseconds, models that refuse unknown keys."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, PlainSerializer, PlainValidator, WithJsonSchema

from kivuko.records import Id

__all__ = ["IdText", "Moment", "Wire", "datetime_us", "read_moment", "time_text"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?([Zz]|[+-]\d\d:\d\d)")


def read_id(value: object) -> Id:
    """The id that a text names. Raises ValueError when it is none."""
    if isinstance(value, Id):
        return value
    if isinstance(value, str) and _UUID.fullmatch(value):
        return Id.parse(value)
    raise ValueError("must be a UUID such as 0192f0a1-7c3e-7b42-8d11-3f2a9c4e5b60")


def read_moment(value: object) -> int:
    """A time as µs since 1970. Raises ValueError for what is no RFC 3339 time with a zone."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        try:
            # A fraction of more than six digits is cut: nothing here is finer than a microsecond.
            return datetime_us(datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", value.upper())))
        except (ValueError, OverflowError):
            pass
    raise ValueError("must be a time such as 2026-01-31T09:30:00Z")


def datetime_us(moment: datetime) -> int:
    """An aware time as µs since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def time_text(moment_us: int) -> str:
    """A time in µs since 1970 as the wire has it."""
    return (_EPOCH + timedelta(microseconds=moment_us)).isoformat(timespec="microseconds").replace("+00:00", "Z")


IdText = Annotated[
    Id,
    PlainValidator(read_id),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "format": "uuid"}),
]
"""An id: ``Id`` in Python, a lower-case UUID on the wire."""


Moment = Annotated[
    int,
    PlainValidator(read_moment),
    PlainSerializer(time_text, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-01-31T09:30:00.000000Z"]}),
]
"""A time: µs since 1970 in Python, RFC 3339 in UTC on the wire."""


class Wire(BaseModel):
    """An object of the wire. Keys it does not have are refused."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True, json_schema_serialization_defaults_required=True)

    def as_json(self) -> dict[str, Any]:
        """Its JSON values."""
        return self.model_dump(mode="json", by_alias=True)
