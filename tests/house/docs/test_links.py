"""Links between the pages lead somewhere, and every page can be reached from the README."""

from __future__ import annotations

from pathlib import Path

import pytest

from house.docs.pages import Page, pages
from house.sources import ROOT

OUTSIDE = ("http://", "https://", "mailto:")


@pytest.mark.parametrize("page", pages(), ids=str)
def test_every_link_leads_somewhere(page: Page) -> None:
    assert [link for link in page.links() if not link.startswith(OUTSIDE) and not _leads_somewhere(page, link)] == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    known = {page.path: page for page in pages()}
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        path = waiting.pop()
        if path in known and path not in reached:
            reached.add(path)
            waiting += [_target(known[path], link)[0] for link in known[path].links() if not link.startswith(OUTSIDE)]
    assert [str(page) for page in pages() if page.path not in reached] == []


def test_no_page_has_two_headings_with_one_anchor() -> None:
    double = [f"{page}: {heading}" for page in pages() for heading in _repeated([heading.lower() for heading in page.headings()])]
    assert [entry for entry in double if "CHANGELOG" not in entry] == []


def _leads_somewhere(page: Page, link: str) -> bool:
    path, anchor = _target(page, link)
    if not path.exists():
        return False
    return not anchor or path.suffix != ".md" or anchor in Page(path, path.read_text("utf-8")).anchors()


def _target(page: Page, link: str) -> tuple[Path, str]:
    path, _, anchor = link.partition("#")
    return ((page.path.parent / path).resolve() if path else page.path), anchor


def _repeated(words: list[str]) -> set[str]:
    return {word for word in words if words.count(word) > 1}
