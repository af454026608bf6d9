"""Form-encoded bodies and query strings: an object of texts; a name that comes several times is an array."""

from __future__ import annotations

from urllib.parse import parse_qsl

from kivuko.errors import MalformedBody

__all__ = ["MOST_FIELDS", "add_field", "read_form"]

MOST_FIELDS = 10_000

Fields = dict[str, object]


def read_form(text: bytes, what: str = "the form") -> Fields:
    """The fields of ``application/x-www-form-urlencoded`` text (WHATWG URL, §5.1). Raises MalformedBody, also for bad UTF-8."""
    try:
        pairs = parse_qsl(text.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except UnicodeDecodeError as error:
        raise MalformedBody(f"{what} is not UTF-8") from error
    except ValueError as error:
        raise MalformedBody(f"{what} cannot be read: {error}", fix=f"Send at most {MOST_FIELDS} fields.") from error
    fields: Fields = {}
    for name, value in pairs:
        add_field(fields, name, value)
    return fields


def add_field(fields: Fields, name: str, value: object) -> None:
    """Adds a field; the second of a name makes an array of it."""
    if name not in fields:
        fields[name] = value
        return
    there = fields[name]
    fields[name] = [*there, value] if isinstance(there, list) else [there, value]
