"""An answer that a forged or broken host gives is refused, never believed."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kivuko.engines.errand import Errand, HostAfterRun, read_log_line, read_run
from kivuko.engines.frames import META, BadFrame, Frame
from kivuko.engines.host import Profile
from kivuko.engines.run import EgressPolicy, HostKey, RunError

GOOD: dict[str, Any] = {"id": 7, "fault": None, "followed": {}, "failure": None, "ms": 1.5, "dirty": [], "heap": 1, "rss": 2}


def errand() -> Errand:
    key = HostKey("p", "c")
    return Errand(key, Profile.of(key, 100, EgressPolicy()), "attempt", "d", lambda: (), number=7)


def done(meta: dict[str, Any], state: bytes = b"{}") -> Frame:
    text = json.dumps(meta).encode()
    return Frame("d", META.pack(len(text)) + text + state)


def test_a_good_answer_is_read() -> None:
    result, after = read_run(done({**GOOD, "followed": {"b": True, "c": False}, "dirty": ["x"]}, b'{"a":1}'), errand())
    assert (result.state, result.followed, result.duration_ms, result.rss_bytes) == (b'{"a":1}', {"b": True, "c": False}, 1.5, 2)
    assert after == HostAfterRun(dirty=True, rss_bytes=2, over=False, leftover=False)


@pytest.mark.parametrize("leftover", [[], ["Timeout"]])
def test_an_attempt_that_ended_with_its_run_tells_what_it_left(leftover: list[str]) -> None:
    _, after = read_run(done({**GOOD, "leftover": leftover}), errand())
    assert after == HostAfterRun(dirty=False, rss_bytes=2, over=True, leftover=bool(leftover))


def test_an_answer_without_state_gives_none() -> None:
    result, _ = read_run(done({**GOOD, "none": True}, b""), errand())
    assert result.state is None


def test_a_fault_becomes_the_error_of_the_run() -> None:
    fault = {
        "name": "RuntimeError",
        "severity": "fail",
        "message": "m",
        "pos": {"line": 2, "column": 3, "src": "x"},
        "step": "a",
        "stack": "s",
    }
    error = read_run(done({**GOOD, "fault": fault}), errand())[0].error
    assert error is not None
    assert (error.line, error.column, error.src, error.stack) == (2, 3, "x", "s")
    assert error.report == {
        "source": "runtime",
        "name": "RuntimeError",
        "severity": "fail",
        "message": "m",
        "pos": fault["pos"],
        "step": "a",
    }


@pytest.mark.parametrize(
    "change",
    [
        {"id": 8},
        {"id": None},
        {"fault": "text"},
        {"fault": {"name": 1, "severity": "fail", "message": ""}},
        {"fault": {"name": "E", "severity": "soft", "message": ""}},
        {"followed": []},
        {"failure": ["one"]},
        {"ms": "1"},
        {"ms": True},
        {"heap": None},
        {"heap": float("inf")},
        {"heap": float("nan")},
        {"rss": 10**400},
        {"fault": {"name": "E", "severity": "fail", "message": "", "pos": {"line": True}}},
        {"fault": {"name": "E", "severity": "fail", "message": "", "pos": "text"}},
        {"fault": {"name": "E", "severity": "fail", "message": "", "pos": {"line": "1"}}},
        {"fault": {"name": "E", "severity": "fail", "message": "", "pos": {"src": 1}}},
        {"fault": {"name": "E", "severity": "fail", "message": "", "subtype": []}},
        {"fault": {"name": "E", "severity": "fail", "message": "", "stack": {}}},
    ],
)
def test_a_malformed_answer_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(BadFrame):
        read_run(done({**GOOD, **change}), errand())


@pytest.mark.parametrize(
    "line",
    [
        {},
        {"l": "shout", "s": "JOB", "m": [], "t": 1},
        {"l": "info", "s": "ELSE", "m": [], "t": 1},
        {"l": "info", "s": "JOB", "m": "text", "t": 1},
        {"l": "info", "s": "JOB", "m": [], "t": "1"},
        {"l": "info", "s": "JOB", "m": [1], "x": [], "t": 1},
        {"l": "info", "s": "JOB", "m": [1], "x": [1], "t": 1},
        {"l": ["info"], "s": "JOB", "m": [], "t": 1},
    ],
)
def test_a_malformed_log_line_is_refused(line: dict[str, Any]) -> None:
    with pytest.raises(BadFrame):
        read_log_line(Frame("l", json.dumps(line).encode()))


FAULT: dict[str, Any] = {
    "name": "RuntimeError",
    "severity": "fail",
    "message": "m",
    "subtype": "TypeError",
    "pos": {"line": 2, "column": 3, "src": "x"},
    "step": "a",
    "operationName": "fn",
    "line": 4,
    "stack": "s",
    "fix": "f",
    "details": {"any": "thing"},
}
FULL: dict[str, Any] = {**GOOD, "fault": FAULT, "followed": {"b": True}, "failure": ["b", "words"], "dirty": ["x"], "leftover": []}
LINE: dict[str, Any] = {"l": "info", "s": "JOB", "m": ["a", 1], "x": [None, "1"], "t": 1}
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every field of a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, inner in items for place in [(*at, key), *places(inner, (*at, key))]]


def changed(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    """A copy with another value at one place."""
    if not place:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[place[0]] = changed(value[place[0]], place[1:], new)
    return copy


def is_well_typed(error: RunError | None) -> bool:
    if error is None:
        return True
    numbers = (error.line, error.column, error.operation_line)
    texts = (error.subtype, error.src, error.operation)
    return (
        all(isinstance(text, str) for text in (error.name, error.message, error.stack, error.fix))
        and error.severity in ("fail", "crash", "kill", "exception")
        and all(number is None or isinstance(number, int) for number in numbers)
        and all(text is None or isinstance(text, str) for text in texts)
    )


@given(st.sampled_from(places(FULL)), values)
def test_a_good_answer_with_one_field_changed_is_refused_or_well_typed(place: tuple[Any, ...], new: Any) -> None:
    try:
        result, after = read_run(done(changed(FULL, place, new)), errand())
    except BadFrame:
        return
    assert is_well_typed(result.error)
    assert all(isinstance(target, str) and isinstance(open_, bool) for target, open_ in result.followed.items())
    assert result.edge_error is None or [type(text) for text in result.edge_error] == [str, str]
    assert math.isfinite(result.duration_ms)
    assert [type(count) for count in (result.heap_bytes, result.rss_bytes)] == [int, int]
    assert [type(sign) for sign in (after.dirty, after.over, after.leftover)] == [bool, bool, bool]


@given(st.sampled_from(places(LINE)), values)
def test_a_good_log_line_with_one_field_changed_is_refused_or_well_typed(place: tuple[Any, ...], new: Any) -> None:
    try:
        line = read_log_line(Frame("l", json.dumps(changed(LINE, place, new)).encode()))
    except BadFrame:
        return
    assert isinstance(line.time_ns, int)
    assert line.level in ("debug", "info", "log", "success", "always", "warn", "error", "print")
    assert all(text is None or isinstance(text, str) for text in line.text or ())
    assert not line.text or len(line.text) == len(line.message)


@pytest.mark.parametrize(
    ("place", "new"),
    [
        (("fault", "pos"), "text"),
        (("fault", "subtype"), 1),
        (("fault", "pos", "line"), "2"),
        (("fault", "pos", "src"), 1),
        (("fault", "stack"), ["s"]),
        (("heap",), math.inf),
        (("ms",), math.nan),
        (("failure",), "bw"),
    ],
)
def test_a_field_of_the_wrong_type_is_refused(place: tuple[Any, ...], new: Any) -> None:
    assert read_run(done(FULL), errand())[0].error is not None
    with pytest.raises(BadFrame):
        read_run(done(changed(FULL, place, new)), errand())


@pytest.mark.parametrize("texts", [["a", 1], [{}, None], "ab", ["a"]])
def test_texts_of_a_log_line_that_are_none_are_refused(texts: object) -> None:
    assert read_log_line(Frame("l", json.dumps(LINE).encode())).message == ("a", 1)
    with pytest.raises(BadFrame):
        read_log_line(Frame("l", json.dumps({**LINE, "x": texts}).encode()))
