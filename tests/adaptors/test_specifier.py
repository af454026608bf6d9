"""What a text names (cli.md §4.1, §4.2)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kivuko.adaptors import Specifier, parse_specifier, short_name
from kivuko.errors import InvalidSpecifier

HTTP = "@openfn/language-http"


@pytest.mark.parametrize(
    ("text", "specifier"),
    [
        ("http", Specifier(HTTP)),
        ("http@7.2.10", Specifier(HTTP, "7.2.10")),
        ("http@latest", Specifier(HTTP, "latest")),
        (" http ", Specifier(HTTP)),
        (HTTP, Specifier(HTTP)),
        (f"{HTTP}@next", Specifier(HTTP, "next")),
        (f"{HTTP}@2.0.0-rc3", Specifier(HTTP, "2.0.0-rc3")),
        ("http@^7.0.0", Specifier(HTTP, "^7.0.0")),
        ("http@>=2 <=3", Specifier(HTTP, ">=2 <=3")),
        ("http@=2.0.0=./my-http", Specifier(HTTP, "=2.0.0", "./my-http")),
        ("http=./my-http", Specifier(HTTP, None, "./my-http")),
        ("http@1.2.3=/opt/http", Specifier(HTTP, "1.2.3", "/opt/http")),
        (f"{HTTP}=a/b=c", Specifier(HTTP, None, "a/b=c")),
        ("./adaptor", Specifier("", None, "./adaptor")),
        ("../adaptor", Specifier("", None, "../adaptor")),
        ("/opt/adaptor@1", Specifier("", None, "/opt/adaptor@1")),
        ("~/adaptor", Specifier("", None, "~/adaptor")),
        (r"C:\adaptors\http", Specifier("", None, r"C:\adaptors\http")),
        ("job.js", Specifier("job.js")),
        ("@other/thing@3", Specifier("@other/thing", "3")),
        ("http@", Specifier(HTTP)),
    ],
)
def test_a_text_is_read_as(text: str, specifier: Specifier) -> None:
    assert parse_specifier(text) == specifier


def test_without_expansion_a_short_name_stays() -> None:
    assert parse_specifier("http@1.0.0", expand=False) == Specifier("http", "1.0.0")


@pytest.mark.parametrize("text", ["", "   ", "=./x", "http=", "ht tp", "http@1.0.0; rm -rf /", "@openfn/", "a/b/c", "a" * 230])
def test_a_text_that_names_nothing_is_refused(text: str) -> None:
    with pytest.raises(InvalidSpecifier) as caught:
        parse_specifier(text)
    assert caught.value.fix


def test_a_version_that_looks_like_a_flag_never_becomes_one() -> None:
    specifier = parse_specifier("http@--ignore-scripts")
    assert str(specifier) == f"{HTTP}@--ignore-scripts"  # npm gets it after the name, as one word


def test_a_name_that_looks_like_a_flag_is_expanded_or_scoped() -> None:
    assert parse_specifier("--registry").name == "@openfn/language---registry"


@given(
    st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True),
    st.one_of(st.none(), st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,3}){2}", fullmatch=True)),
)
def test_writing_a_specifier_and_reading_it_again_gives_the_same(name: str, version: str | None) -> None:
    specifier = parse_specifier(f"{name}@{version}" if version else name)
    assert parse_specifier(str(specifier)) == specifier
    assert short_name(specifier.name) == name


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        specifier = parse_specifier(text)
    except InvalidSpecifier:
        return
    assert specifier.name or specifier.path
    assert "\n" not in specifier.name
