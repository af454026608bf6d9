"""Where the words stand that can matter to the compiler, so that the rest of the tree need not be looked at."""

from __future__ import annotations

import re
from collections.abc import Collection
from itertools import accumulate, compress
from typing import NamedTuple

__all__ = ["Places", "find_places"]

WORD = re.compile(rb"([\w$\\\x80-\xff]+)")
PLAIN_WORD = re.compile(r"[\w$]+")
OUTER_WORDS = frozenset({b"then", b"catch", b"finally", b"await", b"return"})
META = re.compile(rb"\b(?:import\s*\.\s*meta|new\s*\.\s*target)\b")
HTML_COMMENT = re.compile(rb"<!--|-->")


class Places(NamedTuple):
    """Byte offsets in rising order: ``everywhere`` counts outside functions, ``inside`` within them."""

    everywhere: list[int]
    inside: list[int]


def find_places(data: bytes, names: Collection[str]) -> Places:
    """The places of ``names``, of words that matter at top level only (then, await, return …), and of syntax that a script reads otherwise
    than a module (``import.meta``, ``new.target``, html comments)."""
    wanted = frozenset(name.encode() for name in names)
    known = wanted | OUTER_WORDS
    parts = WORD.split(data)  # what stands before a word, the word, and so on
    words, ends = parts[1::2], list(accumulate(map(len, parts)))[1::2]
    everywhere: list[int] = []
    inside: list[int] = []
    for word, end in compress(zip(words, ends, strict=True), map(known.__contains__, words)):
        (inside if word in wanted else everywhere).append(end - len(word))
    if b"\\" in data or not data.isascii():
        odd = ((word, end - len(word)) for word, end in zip(words, ends, strict=True) if b"\\" in word or not word.isascii())
        inside.extend(start + offset for word, start in odd if word not in known for offset in _odd_word(word, wanted))
    for pattern, hint in ((META, b"."), (HTML_COMMENT, b"--")):
        if hint in data:
            inside.extend(match.start() for match in pattern.finditer(data))
    inside = sorted(set(inside))
    return Places(sorted({*everywhere, *inside}), inside)


def _odd_word(word: bytes, wanted: frozenset[bytes]) -> list[int]:
    """Places in a run that holds escapes or non-ASCII characters, some of which (U+00A0, U+2028) are no part of words."""
    if b"\\u" in word:
        return [0]
    text = word.decode()
    return [
        len(text[: match.start()].encode())
        for match in PLAIN_WORD.finditer(text)
        if (piece := match.group().encode()) in wanted or piece in OUTER_WORDS
    ]
