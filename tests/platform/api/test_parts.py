"""The pure parts of the conventions."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kivuko.errors import MalformedCursor
from kivuko.platform.api.bodies import member_text, read_body
from kivuko.platform.api.pages import cursor_id, cursor_number, id_page, next_number
from kivuko.platform.api.patching import merged
from kivuko.platform.api.rates import RateLimits
from kivuko.platform.api.tickets import StreamTickets
from kivuko.platform.api.wire import read_moment, time_text
from kivuko.records import new_id


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        # RFC 7396, appendix A.
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_a_merge_patch_does_what_the_rfc_says(target: object, patch: object, result: object) -> None:
    assert merged(target, patch) == result


# What has no UTF-8 cannot be a request's body.
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
SCALARS = st.none() | st.booleans() | st.integers() | TEXT
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner))


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(TEXT, JSON), JSON, st.sampled_from([None, 2]), st.booleans())
def test_a_member_is_found_as_it_was_written(others: dict[str, object], value: object, indent: int | None, escape: bool) -> None:
    text = json.dumps({**others, "body": value}, indent=indent, ensure_ascii=escape)
    assert json.loads(member_text(text.encode(), "body")) == value


def test_a_member_keeps_its_digits_and_the_last_of_a_name_counts() -> None:
    text = b' {"a": 1, "body": 0, "b\\u006fdy" : 1.10e400 , "z": {"body": 3}} '
    assert member_text(text, "body") == "1.10e400"
    assert Decimal(member_text(text, "body")) == Decimal("1.10e400")
    with pytest.raises(KeyError):
        member_text(text, "c")
    assert read_body(text)["a"] == 1


@settings(deadline=None)
@given(st.integers(min_value=0, max_value=253_402_300_799_999_999))
def test_times_come_back_to_the_microsecond(moment: int) -> None:
    assert read_moment(time_text(moment)) == moment


@pytest.mark.parametrize(
    ("text", "moment"),
    [("1970-01-01T00:00:01Z", 1_000_000), ("1970-01-01t01:00:00.5+01:00", 500_000), ("1970-01-01 00:00:00.123456789z", 123_456)],
)
def test_times_are_read_as_rfc_3339_writes_them(text: str, moment: int) -> None:
    assert read_moment(text) == moment


@pytest.mark.parametrize("text", ["1970-01-01", "1970-01-01T00:00:00", "now", "", "9999-99-99T00:00:00Z", True, None, 1.5])
def test_what_is_no_time_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="must be a time"):
        read_moment(text)


def test_a_cursor_stands_for_where_the_page_ended() -> None:
    keys = sorted((new_id() for _ in range(3)), reverse=True)
    page, cursor = id_page(keys, 2, lambda key: key)
    assert (page, cursor_id(cursor)) == (keys[:2], keys[1])
    assert id_page(keys, 3, lambda key: key) == (keys, None)
    assert cursor_number(next_number(7)) == 7
    assert (cursor_id(None), cursor_number(None)) == (None, 0)
    with pytest.raises(MalformedCursor):
        cursor_id(next_number(7))


def test_a_ticket_opens_one_stream_within_a_minute() -> None:
    now = [0.0]
    tickets = StreamTickets(now_s=lambda: now[0])
    first, seconds = tickets.issue("Amina")
    second, _ = tickets.issue("Binta")
    assert (seconds, tickets.redeem(first), tickets.redeem(first), tickets.redeem("kvt_none")) == (60.0, "Amina", None, None)
    now[0] = 60.0
    assert tickets.redeem(second) is None


def test_an_allowance_comes_back_with_the_next_window() -> None:
    now = [0.0]
    rates = RateLimits(limit=2, window_s=60, now_s=lambda: now[0])
    assert [rates.take("a").allowed for _ in range(3)] == [True, True, False]
    assert rates.take("b").remaining == 1
    now[0] = 59.5
    assert (rates.take("a").allowed, rates.take("a").reset_s) == (False, 1)
    now[0] = 60.0
    assert rates.take("a").remaining == 1
