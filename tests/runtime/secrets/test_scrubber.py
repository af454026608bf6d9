"""Secrets do not reach logs and errors."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kivuko.engines.run import LogLine, RunError
from kivuko.runtime.secrets import MASK, Scrubber, forms_of

SECRET = 'p@ss "wörd"/1'
CREDENTIAL = {"username": "ann", "password": SECRET, "baseUrl": "https://play.example"}


@pytest.fixture
def scrubber() -> Scrubber:
    return Scrubber.of([(CREDENTIAL, None)])


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        json.dumps(SECRET),
        json.dumps(SECRET, ensure_ascii=False),
        quote(SECRET),
        quote(SECRET, safe=""),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode().rstrip("="),
        "Basic " + base64.b64encode(f"ann:{SECRET}".encode()).decode(),
        "Basic " + base64.b64encode(f"{SECRET}:".encode()).decode(),
    ],
)
def test_a_secret_is_masked_in_every_form(scrubber: Scrubber, form: str) -> None:
    cleaned = scrubber.text(f"before {form} after")
    assert MASK in cleaned
    assert form.removeprefix("Basic ") not in cleaned
    assert cleaned.startswith("before ")
    assert cleaned.endswith(" after")


def test_what_is_not_secret_stays_readable(scrubber: Scrubber) -> None:
    text = "ann at https://play.example"
    assert scrubber.text(text) == text


def test_keys_and_values_of_objects_are_masked(scrubber: Scrubber) -> None:
    assert scrubber.value({SECRET: [1, {"k": f"x{SECRET}"}], "n": None}) == {MASK: [1, {"k": f"x{MASK}"}], "n": None}


def test_a_value_without_secrets_is_not_copied(scrubber: Scrubber) -> None:
    value = {"a": [1, 2, "three"]}
    assert scrubber.value(value) is value


def test_a_log_line_is_masked_in_both_forms(scrubber: Scrubber) -> None:
    line = LogLine("info", "JOB", (f"t={SECRET}", {"k": SECRET}, 1), 5, (None, f"shown {SECRET}", None))
    assert scrubber.line(line) == LogLine("info", "JOB", (f"t={MASK}", {"k": MASK}, 1), 5, (None, f"shown {MASK}", None))


def test_an_error_is_masked_wherever_it_holds_text(scrubber: Scrubber) -> None:
    error = RunError(
        "AdaptorError",
        "fail",
        f"m {SECRET}",
        report={"message": f"m {SECRET}"},
        src=f"post('{SECRET}')",
        stack=f"Error: {SECRET}",
        fix=f"use {SECRET}",
        details={"headers": [SECRET]},
    )
    assert SECRET not in repr(scrubber.error(error))
    assert scrubber.error(error).report == {"message": f"m {MASK}"}


def test_longer_secrets_are_masked_before_shorter_ones_in_them() -> None:
    scrubber = Scrubber.of([({"a": "hunter", "b": "hunter-hunter"}, None)])
    assert scrubber.text("x hunter-hunter y") == f"x {MASK} y"


def test_without_secrets_nothing_is_touched() -> None:
    line = LogLine("info", "JOB", ({"a": 1},), 5)
    error = RunError("JobError", "fail", "m")
    scrubber = Scrubber.of([({}, None), (None, None), ({"host": "h.example"}, None)])
    assert scrubber.line(line) is line
    assert scrubber.error(error) is error


def test_white_space_around_a_secret_does_not_hide_it() -> None:
    assert Scrubber.of([({"token": "abcdef\n"}, None)]).text("x abcdef y") == f"x {MASK} y"


@given(st.text(min_size=4).filter(lambda text: len(text.strip()) >= 4), st.text(max_size=10), st.text(max_size=10))
def test_no_secret_survives_as_itself_or_in_json(secret: str, before: str, after: str) -> None:
    scrubber = Scrubber(forms_of([secret]))
    assert secret not in scrubber.text(f"{before}{secret}{after}").replace(MASK, "\0")
    assert secret not in str(scrubber.value({"k": [f"{before}{secret}{after}"]})).replace(MASK, "\0")


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@given(
    secret=st.text(min_size=5, max_size=40).filter(lambda text: len(text.strip()) >= 5),
    before=st.binary(max_size=9),
    after=st.binary(max_size=9),
)
def test_a_secret_inside_a_longer_base64_text_is_masked_at_any_place(
    encode: Callable[[bytes], bytes], secret: str, before: bytes, after: bytes
) -> None:
    given = encode(before + secret.encode("utf-8", "surrogatepass") + after).decode()
    assert MASK in Scrubber(forms_of([secret])).text(given)


@pytest.mark.parametrize("before", ["", "u", "u:", "ab:", "abc:"])
def test_base64_of_a_login_and_more_gives_no_part_of_the_password_back(before: str) -> None:
    masked = Scrubber(forms_of(["correct-horse-7"])).text(base64.b64encode(f"{before}correct-horse-7!?".encode()).decode())
    head, _, tail = masked.partition(MASK)
    assert len(head) <= len(before) * 8 // 6 + 1
    assert len(tail.rstrip("=")) <= 4


def test_parts_of_base64_that_are_shorter_than_chance_are_no_form() -> None:
    assert {form for form in forms_of(["abcd"]) if form not in ("abcd", "YWJjZA==", "YWJjZA")} == set()


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("ascii_only", [True, False])
@given(secret=st.text(alphabet='"\\\nä/p', min_size=4, max_size=12).filter(lambda text: len(text.strip()) >= 4))
def test_a_secret_in_json_in_json_is_masked(times: int, ascii_only: bool, secret: str) -> None:
    scrubber = Scrubber(forms_of([secret]))
    text = secret
    for _ in range(times):
        text = json.dumps({"k": text}, ensure_ascii=ascii_only)
    inner = text.partition('"k')[2]
    assert scrubber.text(inner).count(MASK) >= 1
    assert MASK in json.dumps(scrubber.value({"body": text}))
