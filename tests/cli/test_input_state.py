"""Where the state comes from, and that nothing runs on a wrong one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kivuko.cli.input_state import parse_state, read_state_file, read_state_text
from kivuko.errors import FileMissing, InputError, InvalidJson


def no_input() -> bytes:
    raise AssertionError("standard input must not be read")


def test_the_text_of_the_option_is_the_state() -> None:
    assert read_state_text('{"data": 1}', no_input) == b'{"data": 1}'


def test_a_dash_reads_standard_input() -> None:
    assert read_state_text("-", lambda: b'{"a":1}') == b'{"a":1}'


@pytest.mark.parametrize("text", ["nope", "", "{", '{"a": NaN}', '{"a": Infinity}', "[" * 100_000])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(InvalidJson, match="Failed to load state from stdin"):
        read_state_text(text, no_input)


@pytest.mark.parametrize("text", ["[]", "5", "null", '"x"'])
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="Failed to load state from stdin"):
        read_state_text(text, no_input)


def test_a_file_is_read_relative_to_the_folder(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text('{"data": {}}')
    assert read_state_file("s.json", tmp_path) == b'{"data": {}}'


def test_a_missing_or_broken_file_stops_with_its_name_and_place(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text('{"data":\n nope}')
    with pytest.raises(FileMissing, match=r"Error loading state from none\.json"):
        read_state_file("none.json", tmp_path)
    with pytest.raises(FileMissing, match=r"Error loading state from \."):
        read_state_file(".", tmp_path)
    with pytest.raises(InvalidJson, match=r"Error loading state from bad\.json") as problem:
        read_state_file("bad.json", tmp_path)
    assert "line 2" in problem.value.details


def test_a_byte_order_mark_is_taken_off() -> None:
    assert parse_state(b"\xef\xbb\xbf{}", "", "") == b"{}"


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(InvalidJson):
        parse_state(b'{"a": "\xff"}', "", "")


@given(st.dictionaries(st.text(), st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists)))
def test_any_json_object_passes_unchanged(value: dict[str, object]) -> None:
    content = json.dumps(value).encode()
    assert parse_state(content, "", "") == content


def test_columns_of_a_mistake_are_counted_in_characters() -> None:
    with pytest.raises(InvalidJson) as problem:
        parse_state('{"ümläut😀": nope}'.encode(), "", "here")
    assert "column 13" in problem.value.details


@pytest.mark.parametrize("content", [b'{"a": "\xc3"}', b"{\xc3\xa4: 1}", b'{"a": 1}\xc2\xa0', b'{"a": "\xed\xa0\x80"}'])
def test_bytes_above_ascii_are_letters_of_strings_and_nothing_else(content: bytes) -> None:
    with pytest.raises(InvalidJson):
        parse_state(content, "", "")


@given(st.text(), st.binary(max_size=8))
def test_bytes_are_judged_as_a_whole_text_would_be(text: str, more: bytes) -> None:
    content = json.dumps({text: text}, ensure_ascii=False).encode("utf-8", "replace") + more
    try:
        fine = isinstance(json.loads(content.decode("utf-8")), dict)
    except ValueError:
        fine = False
    if fine:
        assert parse_state(content, "", "") == content
    else:
        with pytest.raises(InputError):
            parse_state(content, "", "")


def test_a_state_that_is_nested_too_deeply_is_told_as_that() -> None:
    with pytest.raises(InputError) as refused:
        parse_state(b'{"a":' + b"[" * 50_000 + b"]" * 50_000 + b"}", "no state", "s.json")
    assert ("nested too deeply" in refused.value.details, "Correct the JSON" in refused.value.fix) == (True, False)
