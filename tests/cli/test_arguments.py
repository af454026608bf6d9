"""How words become typed arguments: the rules that OpenFn's users rely on."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kivuko.cli.arguments import Option, near_names, parse
from kivuko.errors import UsageError

OPTIONS = (
    Option("adaptors", "", ("a", "adaptor"), "list"),
    Option("monorepo", "", ("m",)),
    Option("log", "", ("l",), "text"),
    Option("output-path", "", ("o",), "text"),
    Option("timeout", "", ("t",), "number"),
    Option("compile", ""),
    Option("ignore-imports", "", (), "optional"),
    Option("hidden-thing", "", (), hidden=True),
)


def test_words_that_are_no_flags_keep_their_order() -> None:
    assert parse(["a.js", "-o", "x", "second"], OPTIONS).words == ("a.js", "second")


@pytest.mark.parametrize(
    "words",
    [
        ["-o", "x.json"],
        ["-o=x.json"],
        ["--output-path", "x.json"],
        ["--output-path=x.json"],
        ["--outputPath", "x.json"],
        ["--outputPath=x.json"],
        ["-o./x.json"],
    ],
)
def test_a_text_option_has_many_forms(words: list[str]) -> None:
    given = parse(words, OPTIONS).text("output-path")
    assert given in ("x.json", "./x.json")


def test_a_list_takes_every_word_up_to_the_next_flag_and_may_be_repeated() -> None:
    arguments = parse(["-a", "common", "http", "-o", "x", "--adaptor=fhir"], OPTIONS)
    assert arguments.list("adaptors") == ["common", "http", "fhir"]


def test_letters_may_be_grouped_and_the_last_takes_the_value() -> None:
    arguments = parse(["-ma", "common"], OPTIONS)
    assert arguments.flag("monorepo")
    assert arguments.list("adaptors") == ["common"]


@pytest.mark.parametrize("words", [["-t", "500"], ["-t500"], ["-t=500"], ["--timeout=500"], ["--timeout", "5e2"]])
def test_numbers_may_touch_their_letter(words: list[str]) -> None:
    assert parse(words, OPTIONS).number("timeout") == 500


def test_a_negative_number_is_a_value() -> None:
    assert parse(["-t", "-5"], OPTIONS).number("timeout") == -5


def test_a_single_dash_is_a_value() -> None:
    assert parse(["-o", "-"], OPTIONS).text("output-path") == "-"


@pytest.mark.parametrize(
    ("word", "value"), [("--compile", True), ("--no-compile", False), ("--compile=false", False), ("--compile=true", True)]
)
def test_a_switch_can_be_set_either_way(word: str, value: bool) -> None:
    arguments = parse([word], OPTIONS)
    assert arguments.flag("compile", default=not value) is value
    assert arguments.has("compile")


def test_a_switch_takes_true_and_false_from_the_next_word_and_nothing_else() -> None:
    assert parse(["--compile", "false", "x"], OPTIONS).flag("compile") is False
    assert parse(["--compile", "x"], OPTIONS).words == ("x",)


def test_a_switch_that_was_not_given_has_the_default() -> None:
    arguments = parse([], OPTIONS)
    assert arguments.flag("compile", default=True) is True
    assert arguments.text("log") is None
    assert arguments.list("adaptors") == []
    assert arguments.number("timeout") is None


def test_an_optional_value_is_not_taken_from_a_file_that_follows() -> None:
    assert parse(["--ignore-imports", "a.js"], OPTIONS).values == {"ignore-imports": True}
    assert parse(["--ignore-imports", "a,b"], OPTIONS).text("ignore-imports") == "a,b"
    assert parse(["--ignore-imports=a,b", "c.js"], OPTIONS).words == ("c.js",)


def test_what_follows_two_dashes_is_never_a_flag() -> None:
    assert parse(["--", "-a", "--nope"], OPTIONS).words == ("-a", "--nope")


def test_the_last_value_of_a_text_option_counts() -> None:
    assert parse(["-l", "info", "-l", "debug"], OPTIONS).text("log") == "debug"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--adaptorz", "x"], "Unknown argument: adaptorz\nDid you mean --adaptor"),
        (["-q"], "Unknown argument: q"),
        (["--no-log"], "Unknown argument: no-log"),
        (["-o"], "Not enough arguments following: o"),
        (["--output-path", "--compile"], "Not enough arguments following: output-path"),
        (["-a"], "Not enough arguments following: a"),
        (["-am", "x"], "-a needs a value"),
        (["-t", "soon"], "It must be a number"),
        (["--compile=maybe"], "Invalid value for --compile: maybe"),
    ],
)
def test_a_mistake_is_named(words: list[str], said: str) -> None:
    with pytest.raises(UsageError) as problem:
        parse(words, OPTIONS)
    assert said in problem.value.message


def test_hidden_options_work_and_are_not_suggested() -> None:
    assert parse(["--hidden-thing"], OPTIONS).flag("hidden-thing")
    with pytest.raises(UsageError) as problem:
        parse(["--hidden-thin"], OPTIONS)
    assert "Did you mean" not in problem.value.message


def test_near_names_come_nearest_first() -> None:
    assert near_names("exectue", ["execute", "docs", "exit"])[0] == "execute"
    assert near_names("zzz", ["execute"]) == []


@given(st.lists(st.text(max_size=12), max_size=8))
def test_any_words_are_read_or_refused_with_a_usage_error(words: list[str]) -> None:
    with contextlib.suppress(UsageError):
        assert len(parse(words, OPTIONS).words) <= len(words)


@given(st.lists(st.text(min_size=1, max_size=12).filter(lambda word: not word.startswith("-")), max_size=6))
def test_words_without_dashes_come_out_as_they_went_in(words: list[str]) -> None:
    assert list(parse(words, OPTIONS).words) == words


@pytest.mark.parametrize(
    ("wanted", "known", "near"),
    [
        ("exectue", ["execute", "docs"], ["execute"]),
        ("dosc", ["docs", "doctor"], ["docs"]),
        ("--adaptr", ["--adaptors", "--adaptor", "--log"], ["--adaptor", "--adaptors"]),
        ("x", ["y", "abc"], ["y"]),
        ("workflow", ["walrus"], []),
        ("", ["a"], ["a"]),
        ("Fetch", ["fetch"], ["fetch"]),
    ],
)
def test_a_third_of_the_letters_may_be_wrong(wanted: str, known: list[str], near: list[str]) -> None:
    assert near_names(wanted, known) == near


@given(st.text(max_size=12), st.lists(st.text(max_size=12), max_size=6))
def test_a_known_name_is_always_nearest_to_itself(wanted: str, others: list[str]) -> None:
    assert near_names(wanted, [*others, wanted])[0].lower() == wanted.lower()
