"""How a story is written: as text and as HTML, from the templates beside this module."""

from __future__ import annotations

from dataclasses import asdict
from functools import cache
from pathlib import Path

from django.template import Context, Engine, Template

from kivuko.platform.notifications.stories import Story

__all__ = ["INSPECT", "html_of", "text_of"]

INSPECT = "inspect & take action"
"""The words of the link: what people of OpenFn's first platform look for in the mail (requirements §3.10)."""


def text_of(story: Story, *, mail: bool) -> str:
    """The plain text, for the app or, with title, link and the reason why one gets it, for a mail."""
    return _template("story.txt").render(Context({**asdict(story), "inspect": INSPECT, "mail": mail}, autoescape=False)).strip() + "\n"


def html_of(story: Story) -> str:
    """The same as a page; everything that came from outside is escaped."""
    return _template("story.html").render(Context({**asdict(story), "inspect": INSPECT}))


@cache
def _template(name: str) -> Template:
    return Engine(dirs=[str(Path(__file__).parent / "templates")]).get_template(name)
