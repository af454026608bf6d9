"""Texts that a database would refuse are refused by the API, in the same words on every database."""

from __future__ import annotations

import pytest

from kivuko.errors import MalformedJson, ValidationFailed
from kivuko.platform.api.bodies import is_text, read_body


@pytest.mark.parametrize("text", ["", "é", "\U0001f600", "\x01", "\ufffd"], ids=ascii)
def test_a_text_is_one(text: str) -> None:
    assert is_text(text)


@pytest.mark.parametrize("text", ["\0", "a\0b", "\ud800", "a\udfff", "\udc00\ud800"], ids=ascii)
def test_what_no_database_takes_is_no_text(text: str) -> None:
    assert not is_text(text)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (rb'{"name": "a\u0000b"}', "name"),
        (rb'{"name": "\uD800"}', "name"),
        (rb'{"jobs": [{"name": "ok"}, {"expression": "\u0000"}]}', "jobs.1.expression"),
        (rb'{"settings": {"k\u0000": 1}}', "settings"),
        (rb'["\udfff"]', "0"),
        (rb'"\u0000"', ""),
    ],
    ids=["a name", "half a pair", "deep inside", "a key", "a list", "alone"],
)
def test_the_path_of_the_text_is_named(body: bytes, path: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        read_body(body)
    assert list(refused.value.errors) == [path]


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (rb'{"name": "\ud83d\ude00"}', {"name": "\U0001f600"}),
        (rb'{"inbox_id": "i", "body": {"a": "\u0000"}}', {"inbox_id": "i", "body": {"a": "\0"}}),
        (rb'{"name": "\\u0000"}', {"name": "\\u0000"}),
    ],
    ids=["a whole pair", "a payload", "a backslash"],
)
def test_whole_pairs_and_payloads_pass(body: bytes, value: object) -> None:
    assert read_body(body) == value


@pytest.mark.parametrize(
    "body", [b"\xff", b'{"a": NaN}', b"[" * 100_000, b'{"a": ' + b"9" * 5000 + b"}", b""], ids=["latin", "nan", "deep", "long", "empty"]
)
def test_what_is_no_json_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedJson):
        read_body(body)
