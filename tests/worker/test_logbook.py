"""The log of an Attempt on its way: numbers, batches, levels, back-pressure."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

import pytest

from kivuko.engines import Cancel
from kivuko.runtime.logs import LogRecord
from kivuko.worker.link import Reply
from kivuko.worker.logbook import LogBook


class Post:
    """Takes batches; answers when told to."""

    def __init__(self) -> None:
        self.batches: list[list[dict[str, Any]]] = []
        self.answers: list[Future[Reply]] = []

    def send(self, payload: Mapping[str, object]) -> Future[Reply]:
        """Takes one."""
        logs = payload["logs"]
        assert isinstance(logs, list)
        self.batches.append(logs)
        self.answers.append(Future())
        return self.answers[-1]

    def answer(self, count: int) -> None:
        """Answers that many."""
        for future in [future for future in self.answers if not future.done()][:count]:
            future.set_result(Reply("ok", {}))

    @property
    def lines(self) -> list[dict[str, Any]]:
        """All lines."""
        return [line for batch in self.batches for line in batch]


def line(*message: object, level: Any = "info", component: Any = "JOB", run: int | None = 0) -> LogRecord:
    """A line of the runtime."""
    return LogRecord(level, component, message, 1_795_254_860_529_139_000, run=run)


def book(post: Post, *, level: str = "debug", lines: int = 3, first: int = 1, cancel: Cancel | None = None) -> LogBook:
    """A log book whose Run 0 is known as "run-0"."""
    made = LogBook(post.send, first, cancel or Cancel(), batch_lines=lines, job_log_level=level)
    made.name(0, "run-0")
    return made


def test_lines_are_numbered_from_where_the_last_claim_stopped() -> None:
    post = Post()
    log = book(post, first=41)
    log.take(line("hello", {"a": 1}))
    log.take(line("between", component="R/T", run=None))
    log.flush()
    assert post.lines == [
        {
            "seq": 41,
            "message": 'hello {\n  "a": 1\n}',
            "source": "JOB",
            "level": "info",
            "timestamp": "1795254860529139",
            "step_id": "run-0",
        },
        {"seq": 42, "message": "between", "source": "R/T", "level": "info", "timestamp": "1795254860529139"},
    ]


def test_full_batches_go_at_once_and_the_rest_when_it_is_time() -> None:
    post = Post()
    log = book(post)
    for at in range(7):
        log.take(line(at))
    assert [len(batch) for batch in post.batches] == [3, 3]
    log.flush()
    log.flush()
    assert [[each["message"] for each in batch] for batch in post.batches] == [["0", "1", "2"], ["3", "4", "5"], ["6"]]


@pytest.mark.parametrize(
    ("level", "kept"),
    [("debug", ["debug", "log", "info", "warn", "error"]), ("info", ["log", "info", "warn", "error"]), ("error", ["error"]), ("none", [])],
)
def test_the_level_is_for_what_jobs_print(level: str, kept: list[str]) -> None:
    post = Post()
    log = book(post, level=level, lines=100)
    for each in ("debug", "log", "info", "warn", "error"):
        log.take(line(each, level=each))
    log.take(line("ours", level="debug", component="R/T"))
    log.flush()
    assert [each["message"] for each in post.lines] == [*kept, "ours"]


def test_what_prints_nothing_is_no_line() -> None:
    post = Post()
    log = book(post)
    log.take(line())
    log.take(line(None))
    log.flush()
    assert post.batches == []


def test_levels_have_the_wires_names() -> None:
    post = Post()
    log = book(post, lines=9)
    for level in ("log", "print", "success", "always"):
        log.take(line("x", level=level))
    log.flush()
    assert [each["level"] for each in post.lines] == ["info", "info", "success", "always"]


def test_a_job_that_writes_faster_than_it_is_stored_is_held_back() -> None:
    post, cancel = Post(), Cancel()
    log = book(post, lines=1, cancel=cancel)
    for at in range(7):
        log.take(line(at))
    assert not cancel.held
    log.take(line(7))
    assert cancel.held
    post.answer(5)
    assert cancel.held
    post.answer(1)
    assert not cancel.held


def test_the_text_of_a_run_is_kept_for_those_who_follow_its_failure() -> None:
    post = Post()
    log = book(post)
    log.take(line("before"))
    log.keeps_tails = True
    log.take(line("one"))
    log.take(line("two", run=1))
    log.take(line("three"))
    assert (log.text_of(0), log.text_of(1), log.text_of(2)) == ("one\nthree", "two", "")
    for _ in range(100):
        log.take(line("x" * 1000))
    assert 48_000 < len(log.text_of(0)) <= 50_000
