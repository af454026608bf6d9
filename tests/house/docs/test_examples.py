"""Every example of the documentation runs, page by page, in a folder of its own, and shows what the page says."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from house.docs.pages import Block, Page, pages
from systems.adaptor_repo import adaptor_repo

SEEN_LANGUAGES = {"sh", "js", "python", "json", "yaml", "py"}
MARKS = re.compile(r"file: \S+|run(, exit \d+)?|shows|background: .+|not run: .+")
LONGEST_S = 300
PORT = "4117"
"""What the pages call the port of the practice API. The tests take a free one."""


@dataclass
class Reader:
    """Somebody who does what a page says: writes its files, types its commands, looks at what they print."""

    folder: Path
    environment: dict[str, str]
    port: str
    printed: str = ""
    running: list[subprocess.Popen[str]] = field(default_factory=list)

    def follow(self, block: Block) -> None:
        """Do what the mark of a block asks for."""
        block = replace(block, text=block.text.replace(PORT, self.port))
        kind, _, detail = block.mark.partition(": ")
        if kind == "file":
            target = self.folder / detail
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block.text, "utf-8")
        elif kind == "background":
            self.start(block, detail)
        elif kind == "shows":
            assert _fits(block.text, self.printed), f"line {block.line}: the run before it printed\n{self.printed}"
        elif kind.startswith("run"):
            self.run(block, int(kind.partition("exit ")[2] or 0))

    def run(self, block: Block, expected: int) -> None:
        """Run a block to its end."""
        done = subprocess.run(_command(block), **self._settings(), timeout=LONGEST_S, check=False)
        self.printed = done.stdout
        assert done.returncode == expected, f"line {block.line}: exit code {done.returncode}\n{done.stdout}"

    def start(self, block: Block, words: str) -> None:
        """Start a block and wait until it has printed ``words``."""
        process = subprocess.Popen(_command(block), **self._settings(), start_new_session=True)
        self.running.append(process)
        assert process.stdout
        assert any(words in line for line in process.stdout), f"line {block.line}: ended without printing {words!r}"

    def leave(self) -> None:
        """End what runs in the background."""
        for process in self.running:
            os.killpg(process.pid, signal.SIGINT)
            process.communicate(timeout=LONGEST_S)

    def _settings(self) -> dict[str, object]:
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        return {"cwd": self.folder, "env": self.environment, **streams}


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    """A reader in an empty folder, with Kivuko on the path and the tests' adaptors."""
    home = tmp_path / "home"
    folder = tmp_path / "work"
    home.mkdir()
    folder.mkdir()
    kept = {name: value for name, value in os.environ.items() if name.startswith(("SSL_", "NODE_EXTRA", "npm_config", "LANG"))}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    repo = str(adaptor_repo("common", "http"))
    person = Reader(folder, {**kept, "PATH": path, "HOME": str(home), "OPENFN_REPO_DIR": repo, "NO_COLOR": "1"}, _free_port())
    yield person
    person.leave()


def _runnable() -> list[Page]:
    return [page for page in pages() if any(block.mark.startswith(("run", "background")) for block in page.blocks())]


@pytest.mark.network
@pytest.mark.parametrize("page", _runnable(), ids=str)
def test_a_reader_who_does_what_the_page_says_sees_what_it_shows(page: Page, reader: Reader) -> None:
    for block in page.blocks():
        reader.follow(block)


@pytest.mark.parametrize("page", pages(), ids=str)
def test_every_example_says_whether_it_runs(page: Page) -> None:
    unmarked = [f"line {block.line}: {block.mark!r}" for block in page.blocks() if not _is_marked(block)]
    assert unmarked == []


def _is_marked(block: Block) -> bool:
    return bool(MARKS.fullmatch(block.mark)) or (not block.mark and block.language not in SEEN_LANGUAGES)


def _free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def _command(block: Block) -> list[str]:
    if block.language == "python":
        return [sys.executable, "-c", block.text]
    return ["/bin/sh", "-e", "-c", _without_prompts(block.text)]


def _without_prompts(text: str) -> str:
    return "\n".join(line.removeprefix("$ ") for line in text.splitlines())


def _fits(shown: str, printed: str) -> bool:
    """Whether what is shown is the whole of what was printed, with … for anything."""
    pattern = ".*".join(re.escape(part) for part in _squeezed(shown).split("…"))
    return bool(re.fullmatch(pattern, _squeezed(printed), re.DOTALL))


def _squeezed(text: str) -> str:
    """Without spaces at the ends of lines and without empty lines."""
    return "\n".join(line.rstrip() for line in text.splitlines() if line.strip())
