"""Large bodies are examined by a helper process: same answers, same refusals, and it may die."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kivuko.errors import MalformedJson, RecordsUnavailable, UnusableBody
from kivuko.server.lanes.ingest.bodies import BodyKind, Protocol
from kivuko.server.lanes.ingest.examiner import Examiner
from kivuko.server.lanes.ingest.examining import Findings, Question, examine
from kivuko.workflow.filters import read_filter

QUESTION = Question("application/json", frozenset(BodyKind), (read_filter({"a": 1}), read_filter()), key_path=("a",))


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    """One loop for all: a helper process takes a while to start."""
    with asyncio.Runner() as opened:
        yield opened


@pytest.fixture(scope="module")
def examiner(runner: asyncio.Runner) -> Iterator[Examiner]:
    """Everything is large to it."""
    opened = Examiner(here_up_to_bytes=0)
    yield opened
    opened.close()


def ask(runner: asyncio.Runner, examiner: Examiner, text: bytes, question: Question = QUESTION) -> Findings:
    """One body's examination."""
    return runner.run(examiner.examine(text, question))


@pytest.mark.parametrize("text", [b'{"a":1}', b'{"a":2}', b"[]", b""])
def test_the_answer_is_the_same_as_here(runner: asyncio.Runner, examiner: Examiner, text: bytes) -> None:
    assert ask(runner, examiner, text) == examine(text, QUESTION)


def test_a_refusal_comes_back_with_its_words(runner: asyncio.Runner, examiner: Examiner) -> None:
    with pytest.raises(MalformedJson, match="line 1") as refused:
        ask(runner, examiner, b"{")
    assert refused.value.fix
    with pytest.raises(UnusableBody, match="levels"):
        ask(runner, examiner, b"[" * 600 + b"]" * 600)


def test_xml_comes_back_as_json(runner: asyncio.Runner, examiner: Examiner) -> None:
    found = ask(runner, examiner, b"<a>1</a>", Question("text/xml", frozenset(BodyKind), (read_filter({"a": "1"}),)))
    assert found == Findings(b'{"a":"1"}', Protocol.PLAIN, (True,), None)


@pytest.mark.parametrize(
    ("content_type", "text", "helped"),
    [
        ("application/json", b'{"a":1}', False),
        ("application/json", b'{"a":1' + b" " * 200_000 + b"}", False),
        ("application/json", b'{"a":1' + b" " * 300_000 + b"}", True),
        (None, b'{"a":1' + b" " * 200_000 + b"}", False),
        ("text/xml", b"<a>" + b"x" * 20_000 + b"</a>", False),
        ("text/xml", b"<a>" + b"x" * 40_000 + b"</a>", True),
    ],
    ids=["tiny", "small", "large", "small unnamed", "small xml", "large xml"],
)
def test_only_large_bodies_start_a_process(runner: asyncio.Runner, content_type: str | None, text: bytes, helped: bool) -> None:
    examiner = Examiner()
    try:
        ask(runner, examiner, text, Question(content_type, frozenset(BodyKind), ()))
        assert examiner.helper_runs is helped
    finally:
        examiner.close()


def test_a_helper_that_dies_is_replaced(runner: asyncio.Runner) -> None:
    examiner = Examiner(here_up_to_bytes=0)
    try:
        ask(runner, examiner, b"{}")
        assert examiner._helper
        (pid,) = examiner._helper._processes
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(RecordsUnavailable, match="has died"):
            ask(runner, examiner, b"{}")
        assert ask(runner, examiner, b'{"a":1}').matches == (True, True)
    finally:
        examiner.close()


def test_an_idle_helper_ends(runner: asyncio.Runner) -> None:
    examiner = Examiner(here_up_to_bytes=0, idle_s=0)

    async def idle() -> None:
        await examiner.examine(b"{}", QUESTION)
        while examiner.helper_runs:
            await asyncio.sleep(0)  # paced: gives the loop one turn

    runner.run(idle())
    assert ask(runner, examiner, b'{"a":1}').matches == (True, True)
    examiner.close()


def test_a_body_that_takes_too_much_memory_is_refused(runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    examiner = Examiner(here_up_to_bytes=0)

    class Full:
        """A helper that has no room left."""

        def submit(self, *_: object) -> object:
            """Nothing fits."""
            raise MemoryError

    monkeypatch.setattr(examiner, "_begin", Full)
    monkeypatch.setattr(examiner, "_end", lambda: None)
    with pytest.raises(UnusableBody, match="memory"):
        ask(runner, examiner, b"{}")


_KILLED_SERVER = """
import asyncio, multiprocessing, os, signal
from kivuko.server.lanes.ingest.bodies import BodyKind
from kivuko.server.lanes.ingest.examiner import Examiner
from kivuko.server.lanes.ingest.examining import Question

if __name__ == "__main__":
    asyncio.run(Examiner(here_up_to_bytes=0).examine(b"{}", Question("application/json", frozenset(BodyKind), ())))
    print(multiprocessing.active_children()[0].pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_helper_of_a_server_that_was_killed_ends_too(tmp_path: Path) -> None:
    script = tmp_path / "server.py"
    script.write_text(_KILLED_SERVER)
    # Not captured through a pipe: the helper would hold its other end.
    with (tmp_path / "said").open("w+") as said:
        done = subprocess.run([sys.executable, str(script)], stdout=said, check=False)
        said.seek(0)
        helper = int(said.read())
    assert done.returncode == -signal.SIGKILL
    until = time.monotonic() + 20
    while _runs(helper):
        assert time.monotonic() < until, "the helper goes on without its server"
        time.sleep(0.02)  # paced: polls with a deadline


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
