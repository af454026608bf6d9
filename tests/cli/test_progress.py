"""The live line: only for people, never in the way of a log line."""

from __future__ import annotations

import io
import os
import pty
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest

from kivuko.cli.arguments import Arguments, Option, parse
from kivuko.cli.call import Call
from kivuko.cli.commands import Command
from kivuko.cli.progress import Progress

OPTIONS = (Option("log", "", ("l",), "text"), Option("log-json", ""), Option("json", ""))


def call(*words: str) -> Call:
    arguments: Arguments = parse(words, OPTIONS)
    return Call.prepare("kivuko", Command("x", lambda _: 0, OPTIONS), arguments, {}, None, Path())


class Terminal(io.StringIO):
    """A text stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal() -> Iterator[tuple[TextIO, int]]:
    """A real terminal: its end for writing, and the descriptor where what it shows can be read."""
    reading, writing = pty.openpty()
    with os.fdopen(writing, "w") as stream:
        yield stream, reading
    os.close(reading)


def test_a_terminal_shows_what_goes_on(terminal: tuple[TextIO, int]) -> None:
    stream, reading = terminal
    with Progress(call(), stream) as progress:
        progress.show("Installing http")
        shown = b""
        while b"Installing http" not in shown:
            shown += os.read(reading, 1000)
        progress.clear()
    assert b"s" in shown


@pytest.mark.parametrize("words", [("--log-json",), ("--json",), ("-l", "none")])
def test_it_is_silent_where_people_do_not_read(words: tuple[str, ...]) -> None:
    stream = Terminal()
    with Progress(call(*words), stream) as progress:
        progress.show("Installing http")
        progress.clear()
    assert stream.getvalue() == ""


def test_it_is_silent_where_there_is_no_terminal() -> None:
    stream = io.StringIO()
    with Progress(call(), stream) as progress:
        progress.show("Installing http")
    assert stream.getvalue() == ""


def test_what_is_quick_is_not_shown() -> None:
    stream = Terminal()
    with Progress(call(), stream) as progress:
        progress.show("Compiling")
    assert "Compiling" not in stream.getvalue()


def test_a_terminal_that_goes_away_is_no_failure(terminal: tuple[TextIO, int]) -> None:
    class Gone(Terminal):
        def write(self, text: str) -> int:
            raise OSError("gone")

    with Progress(call(), Gone()) as progress:
        progress.show("Installing")
        began = time.monotonic()
        while progress._enabled and time.monotonic() - began < 30:
            progress.clear()
    assert not progress._enabled
