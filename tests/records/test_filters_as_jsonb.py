"""The matcher of message filters agrees with a real PostgreSQL on any pair of JSON values."""

from __future__ import annotations

import json

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kivuko.records.postgresql import PostgresqlDatabase
from kivuko.workflow.filters import contains, read_json

pytestmark = pytest.mark.postgres

NUMBERS = st.sampled_from(
    ["0", "-0", "1", "1.0", "1e0", "10e-1", "100", "1e2", "0.1", "0.10000000000000000001", "1e40", "12345678901234567890"]
)
SCALARS = st.sampled_from(["null", "true", "false", '""', '"a"', '"1"', '"A"', '"é"']) | NUMBERS
TEXTS = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(lambda parts: f"[{','.join(parts)}]"),
        st.lists(st.tuples(st.sampled_from("ab"), inner), max_size=3).map(
            lambda parts: "{" + ",".join(f"{json.dumps(key)}:{value}" for key, value in parts) + "}"
        ),
    ),
    max_leaves=8,
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(pairs=st.lists(st.tuples(TEXTS, TEXTS), min_size=60, max_size=120))
def test_any_pair_is_decided_as_postgresql_decides_it(postgresql: PostgresqlDatabase, pairs: list[tuple[str, str]]) -> None:
    with psycopg.connect(postgresql.address) as connection:
        asked = "SELECT v::jsonb @> p::jsonb FROM unnest(%s::text[], %s::text[]) WITH ORDINALITY AS pair (v, p, n) ORDER BY n"
        answers = [answer for (answer,) in connection.execute(asked, [[value for value, _ in pairs], [pattern for _, pattern in pairs]])]
    for (value, pattern), answer in zip(pairs, answers, strict=True):
        assert contains(read_json(value), read_json(pattern)) is answer, f"{value} @> {pattern}"
