"""An answer that a forged or broken host gives is refused, never believed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kivuko.engines.errand import Errand, read_log_line, read_run
from kivuko.engines.frames import META, BadFrame, Frame
from kivuko.engines.host import Profile
from kivuko.engines.run import EgressPolicy, HostKey

GOOD: dict[str, Any] = {"id": 7, "fault": None, "followed": {}, "failure": None, "ms": 1.5, "dirty": [], "heap": 1, "rss": 2}


def errand() -> Errand:
    key = HostKey("p", "c")
    return Errand(key, Profile.of(key, 100, EgressPolicy()), "attempt", "d", lambda: (), number=7)


def done(meta: dict[str, Any], state: bytes = b"{}") -> Frame:
    text = json.dumps(meta).encode()
    return Frame("d", META.pack(len(text)) + text + state)


def test_a_good_answer_is_read() -> None:
    result, dirty = read_run(done({**GOOD, "followed": {"b": True, "c": False}, "dirty": ["x"]}, b'{"a":1}'), errand())
    assert (result.state, result.followed, result.duration_ms, result.rss_bytes) == (b'{"a":1}', {"b": True, "c": False}, 1.5, 2)
    assert dirty == ["x"]


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


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
)
def test_any_json_as_an_answer_is_read_or_refused(value: Any) -> None:
    meta = value if isinstance(value, dict) else {**GOOD, "fault": value}
    try:
        read_run(done(meta), errand())
    except BadFrame:
        return
    assert meta.get("id") == 7
