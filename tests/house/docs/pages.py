"""The pages of the documentation: their headings, links and blocks, read from Markdown.

A comment before a block says what it is for, and the tests hold the page to it:

    <!-- file: hello.js -->          the block is this file's text
    <!-- run -->                     the block is run as it stands; `run, exit 1` when it must end so
    <!-- shows -->                   the block is what the run before it printed; … stands for anything
    <!-- background: words -->       the block is started, and goes on until the end of the page; it has begun once it printed the words
    <!-- not run: reason -->         the block is there to be read
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from house.sources import ROOT

__all__ = ["Block", "Page", "pages", "slug"]

_FENCE = re.compile(r"^(?:<!-- (?P<mark>[^\n]*?) -->\n+)?```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, the text of the comment before it, and its own text."""

    language: str
    mark: str
    text: str
    line: int


@dataclass(frozen=True)
class Page:
    """A Markdown file of the project."""

    path: Path
    text: str

    def __str__(self) -> str:
        return str(self.path.relative_to(ROOT))

    @property
    def prose(self) -> str:
        """The text without its blocks."""
        return _FENCE.sub("", self.text)

    def headings(self) -> list[str]:
        """The texts of the headings, in order."""
        return re.findall(r"^#{1,6} +(.+?) *$", self.prose, re.MULTILINE)

    def anchors(self) -> set[str]:
        """What may stand after # in a link to this page."""
        return {slug(heading) for heading in self.headings()}

    def links(self) -> list[str]:
        """The targets of the links."""
        return _LINK.findall(self.prose)

    def blocks(self) -> Iterator[Block]:
        """The fenced blocks, in order."""
        for found in _FENCE.finditer(self.text):
            yield Block(found["language"], found["mark"] or "", found["text"], self.text.count("\n", 0, found.start("language")) + 1)

    def section(self, heading: str) -> str:
        """The text under a heading, up to the next one of its rank. Raises ValueError when there is none."""
        found = re.search(rf"^(#+) +{re.escape(heading)} *$", self.text, re.MULTILINE)
        if not found:
            raise ValueError(f"{self} has no heading {heading!r}")
        rest = self.text[found.end() :]
        end = re.search(rf"^#{{1,{len(found[1])}}} ", rest, re.MULTILINE)
        return rest[: end.start()] if end else rest


def slug(heading: str) -> str:
    """The anchor of a heading, as GitHub makes it."""
    plain = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


@cache
def pages() -> tuple[Page, ...]:
    """README, CHANGELOG, the demo's page and everything under docs."""
    files = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "demo" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return tuple(Page(path, path.read_text("utf-8")) for path in files)
