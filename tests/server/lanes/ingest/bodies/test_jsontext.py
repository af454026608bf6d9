"""JSON bodies: what is taken is stored as it came; what a reader could stumble over is refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kivuko.errors import MalformedJson, UnusableBody
from kivuko.server.lanes.ingest.bodies import DEEPEST_BODY, check_json
from kivuko.workflow.filters import read_json

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=30,
)


@pytest.mark.parametrize("body", ['{"a":1}', "[1,2]", '"x"', "1", "true", "null", ' {"a": 1.50}\n', '{"é":"\\u0000"}', '{"a":1,"a":2}'])
def test_objects_arrays_and_scalars_are_kept_byte_by_byte(body: str) -> None:
    assert check_json(body.encode()) == body.encode()


def test_a_byte_order_mark_goes() -> None:
    assert check_json(b'\xef\xbb\xbf{"a":1}') == b'{"a":1}'


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"",
        b" ",
        b'{"a":1}x',
        b"{'a':1}",
        b"NaN",
        b'{"a":Infinity}',
        b"-Infinity",
        b'{"a":1,}',
        b'"\xff\xfe"',
        b'"\xed\xa0\x80"',
        b'"\\ud800"',
        b'"tab\there"',
        b"01",
        b"1e400",
        b"9" * 5000,
        '{"a":1}'.encode("utf-16"),
        b"<a/>",
    ],
)
def test_what_is_not_strict_json_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedJson):
        check_json(body)


def test_the_refusal_says_where() -> None:
    with pytest.raises(MalformedJson, match="line 2, column"):
        check_json(b'{"a":1,\n"b":}')


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_nesting_is_bounded(opening: bytes, closing: bytes) -> None:
    assert check_json(opening * DEEPEST_BODY + b"1" + closing * DEEPEST_BODY)
    for levels in (DEEPEST_BODY + 1, 1000, 10_000, 1_000_000):
        with pytest.raises(UnusableBody, match="levels deep"):
            check_json(opening * levels + b"1" + closing * levels)


def test_many_flat_brackets_are_no_depth() -> None:
    body = b"[" + b",".join([b"{}"] * 5000) + b"]"
    assert check_json(body) == body


@given(JSON_VALUES)
def test_all_json_passes_and_can_be_matched_by_filters(value: object) -> None:
    body = json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    taken = check_json(body)
    assert json.loads(taken) == value
    read_json(taken)


@given(st.binary(max_size=200) | st.text('{}[]",:0123456789.eE+-truefalsn\\u \n', max_size=60).map(str.encode))
def test_whatever_comes_is_taken_or_refused_and_what_is_taken_is_json_for_everyone(body: bytes) -> None:
    try:
        taken = check_json(body)
    except (MalformedJson, UnusableBody):
        return
    json.loads(taken.decode("utf-8"))
