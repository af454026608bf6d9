"""What .env gives a command."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kivuko.cli.environment import load_dotenv, parse_dotenv, with_dotenv


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A=1\nB=two\n", {"A": "1", "B": "two"}),
        ("export A=1", {"A": "1"}),
        ("  A = spaced out  ", {"A": "spaced out"}),
        ("A: colon", {"A": "colon"}),
        ("# comment\nA=1 # why\n\n", {"A": "1"}),
        ("A='# no comment'", {"A": "# no comment"}),
        ('A="one\\ntwo"', {"A": "one\ntwo"}),
        ("A='one\\ntwo'", {"A": "one\\ntwo"}),
        ('A="over\ntwo lines"', {"A": "over\ntwo lines"}),
        ("A=", {"A": ""}),
        ("A=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
        ("A=`back 'and' \"forth\"`", {"A": "back 'and' \"forth\""}),
        ("not an assignment", {}),
    ],
)
def test_lines_are_read_as_dotenv_reads_them(text: str, found: dict[str, str]) -> None:
    assert parse_dotenv(text, {}) == found


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("HOST=h\nURL=http://${HOST}/x", "http://h/x"),
        ("URL=http://$HOME_HOST/x", "http://outer/x"),
        ("URL=${MISSING:-fallback}", "fallback"),
        ("URL=${MISSING-fallback}", "fallback"),
        ("URL=${MISSING}", ""),
        ("URL='${HOME_HOST}'", "${HOME_HOST}"),
        ("URL=\\$HOME_HOST", "$HOME_HOST"),
        ("HOME_HOST=inner\nURL=${HOME_HOST}", "inner"),
        ("URL=pa$$word", "pa$"),
    ],
)
def test_references_are_replaced(text: str, last: str) -> None:
    assert parse_dotenv(text, {"HOME_HOST": "outer"})["URL"] == last


def test_dotenv_overrides_the_environment(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=file\n")
    together, found = with_dotenv(tmp_path, {"A": "outer", "B": "kept"})
    assert together == {"A": "file", "B": "kept"}
    assert found == {"A": "file"}


@pytest.mark.parametrize("name", ["IGNORE_DOT_ENV", "IGNORE_DOTENV"])
@pytest.mark.parametrize("value", ["1", "false", ""])
def test_it_can_be_switched_off_with_any_value(tmp_path: Path, name: str, value: str) -> None:
    (tmp_path / ".env").write_text("A=file\n")
    assert load_dotenv(tmp_path, {name: value}) is None


def test_no_file_is_no_variables(tmp_path: Path) -> None:
    assert load_dotenv(tmp_path, {}) is None
    (tmp_path / ".env").mkdir()
    assert load_dotenv(tmp_path, {}) is None


@given(st.text(max_size=200))
def test_any_text_is_read_without_failing(text: str) -> None:
    found = parse_dotenv(text, {"A": "1"})
    assert all(isinstance(value, str) for value in found.values())


@given(st.dictionaries(st.from_regex(r"[A-Z_]{1,8}", fullmatch=True), st.from_regex(r"[a-z0-9:/.@-]{1,20}", fullmatch=True), max_size=5))
def test_plain_values_come_out_as_they_went_in(values: dict[str, str]) -> None:
    assert parse_dotenv("".join(f"{name}={value}\n" for name, value in values.items()), {}) == values
