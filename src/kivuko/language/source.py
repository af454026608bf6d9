"""The text of a job as bytes, and where in it a byte stands."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property
from itertools import accumulate

from kivuko.errors import SourceTooLarge

__all__ = ["MAX_NESTING", "MAX_SOURCE_BYTES", "SourceText"]

MAX_SOURCE_BYTES = 8 * 1024 * 1024
MAX_NESTING = 1000

LINE_END = re.compile(rb"\r\n|[\n\r]|\xe2\x80[\xa8\xa9]")  # ECMA-262 §12.3: U+2028 and U+2029 end lines too


class SourceText:
    """A job's text, as it came (``text``) and in UTF-8 (``data``). Raises SourceTooLarge above 8 MB."""

    def __init__(self, text: str) -> None:
        try:
            data = text.encode()
        except UnicodeEncodeError:  # halves of surrogate pairs, which no file can hold: Node would read U+FFFD
            text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            data = text.encode()
        if len(data) > MAX_SOURCE_BYTES:
            raise SourceTooLarge(f"The job is {len(data) / 2**20:.1f} MB long; at most {MAX_SOURCE_BYTES // 2**20} MB can be compiled")
        self.text = text
        self.data = data
        self.is_ascii = data.isascii()

    @cached_property
    def line_starts(self) -> list[int]:
        """The byte at which each line begins."""
        if self.is_ascii:  # else splitlines does not know all that ends a line
            starts = list(accumulate(map(len, self.data.splitlines(keepends=True)), initial=0))
            return starts if len(starts) == 1 or self.data.endswith((b"\n", b"\r")) else starts[:-1]
        return [0, *(match.end() for match in LINE_END.finditer(self.data))]

    def line_of(self, offset: int) -> int:
        """The 1-based line of a byte offset."""
        return bisect_right(self.line_starts, offset)

    def units(self, start: int, end: int) -> int:
        """The length of a byte range in UTF-16 units."""
        if self.is_ascii:
            return end - start
        return len(self.data[start:end].decode().encode("utf-16-le")) // 2

    def position(self, offset: int) -> tuple[int, int]:
        """1-based line and 0-based column (UTF-16 units) of a byte offset."""
        line = self.line_of(offset)
        return line, self.units(self.line_starts[line - 1], offset)

    def slice(self, start: int, end: int) -> str:
        """The text of a byte range."""
        return self.data[start:end].decode()
