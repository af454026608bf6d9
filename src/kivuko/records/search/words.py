"""Texts as words: the same ones on both databases, whatever their own idea of a word is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

__all__ = ["Needle", "needle_of", "readable", "words_of"]

FIRST_PART_CHARACTERS = 1_000_000
"""Of longer bodies only this much is indexed."""
_LONGEST_WORD = 64
_WORD = re.compile(r"[^\W_]+")
# Pictures in forms: thousands of words that nobody looks for.
_BASE64 = re.compile(r"[A-Za-z0-9+/]{200,}={0,2}")


@dataclass(frozen=True)
class Needle:
    """What is looked for: ``text`` folded, the whole words it must have, and the beginning of a word, where the text ends in one."""

    text: str
    words: tuple[str, ...]
    beginning: str | None

    def is_in(self, text: str) -> bool:
        """Whether the text holds exactly this, letter case aside."""
        return self.text in text.casefold()


def needle_of(text: str) -> Needle | None:
    """What to look for; None when the text has no letter and no digit."""
    folded = text.casefold()
    found = list(_WORD.finditer(folded))
    if not found:
        return None
    words = [word[0][:_LONGEST_WORD] for word in found]
    beginning = words.pop() if found[-1].end() == len(folded) else None
    return Needle(folded, tuple(dict.fromkeys(words)), beginning)


def words_of(text: str) -> set[str]:
    """The words of a text, folded; what looks like base64 is left out."""
    return {word[:_LONGEST_WORD] for word in _WORD.findall(_BASE64.sub(" ", text[:FIRST_PART_CHARACTERS]).casefold())}


def readable(body: bytes) -> str:
    """The text of a stored body as a person would look for it: escaped characters of JSON stand there both ways."""
    text = body[: FIRST_PART_CHARACTERS * 4].decode("utf-8", "replace")
    if "\\" not in text:
        return text
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return text
    return "\n".join([text, *_texts(value)])


def _texts(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        found = waiting.pop()
        if isinstance(found, str):
            yield found
        elif isinstance(found, dict):
            waiting += [*found.keys(), *found.values()]
        elif isinstance(found, list):
            waiting += found
