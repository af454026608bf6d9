"""Keys are taken out of a state that nobody parsed."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kivuko.runtime.passing import without_keys

KEYS = ("configuration",)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["configuration", '"configuration":{}']),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text() | st.just("configuration"), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES, st.booleans(), st.sampled_from([None, 1]))
def test_exactly_these_keys_of_the_top_level_are_gone(value: object, ascii_only: bool, indent: int | None) -> None:
    written = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()
    expected = {key: held for key, held in value.items() if key not in KEYS} if isinstance(value, dict) else value
    assert json.loads(without_keys(written, KEYS) or b"") == expected


@pytest.mark.parametrize(
    ("state", "left"),
    [
        (b'{"configuration":{"token":"x"}}', b"{}"),
        (rb'{"\u0063onfiguration":{"token":"x"},"a":1}', b'{"a":1}'),
        (b'{"configuration":1,"a":"}, \\"configuration\\"","configuration":[{}]}', b'{"a":"}, \\"configuration\\""}'),
        (b' { "data" : 1e400 , "configuration" : {} } ', b'{"data" : 1e400 }'),
        (b'{"data":{"configuration":1}}', b'{"data":{"configuration":1}}'),
    ],
)
def test_however_a_key_is_written_the_rest_stays_byte_for_byte(state: bytes, left: bytes) -> None:
    assert without_keys(state, KEYS) == left


def test_a_state_of_any_depth_loses_its_credentials() -> None:
    deep = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
    assert without_keys(b'{"configuration":{"token":"x"},"data":' + deep + b"}", KEYS) == b'{"data":' + deep + b"}"


def test_no_state_and_no_object_stay() -> None:
    assert [without_keys(state, KEYS) for state in (None, b"", b'["configuration"]')] == [None, b"", b'["configuration"]']
