"""What makes two requests the same."""

from __future__ import annotations

import pytest

from kivuko.records import new_id
from kivuko.server.lanes.ingest import IdempotencyRule
from kivuko.server.lanes.ingest.idempotency import idempotency_key, value_at
from kivuko.workflow.filters import read_json

BODY = read_json('{"a":{"b":[1,{"c":"x"}],"n":1.50,"":"empty","z":null,"o":{"y":1,"x":2}}}')
RULE = IdempotencyRule(header="idempotency-key", path=("id",), window_s=60)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("a.b.0", "1"),
        ("a.b.1.c", '"x"'),
        ("a.n", '"1.50"'),
        ("a.", '"empty"'),
        ("a.o", '{"x": 2, "y": 1}'),
        ("a.z", None),
        ("a.b.2", None),
        ("a.b.-1", None),
        ("a.b.x", None),
        ("a.b.٠", None),
        ("a.b.99999999999999999999", None),
        ("a.b.0.c", None),
        ("q", None),
    ],
)
def test_a_path_leads_to_a_value_or_to_none(path: str, value: str | None) -> None:
    assert value_at(BODY, path.split(".")) == value


def test_the_header_goes_before_the_body() -> None:
    scope = new_id()
    by_header = idempotency_key(RULE, scope, "k", '"v"')
    assert by_header == idempotency_key(RULE, scope, "k", '"w"')
    assert by_header != idempotency_key(RULE, scope, None, '"v"')
    assert by_header
    assert (by_header.window_us, len(by_header.digest)) == (60_000_000, 32)


def test_a_header_is_never_taken_for_a_value_of_the_body() -> None:
    scope = new_id()
    assert idempotency_key(RULE, scope, "v", None) != idempotency_key(RULE, scope, None, "v")


@pytest.mark.parametrize(("header", "value"), [(None, None), ("", None)])
def test_a_request_without_key_is_like_no_other(header: str | None, value: str | None) -> None:
    assert idempotency_key(RULE, new_id(), header, value) is None


def test_without_a_rule_there_is_no_key() -> None:
    assert idempotency_key(None, new_id(), "k", "v") is None
