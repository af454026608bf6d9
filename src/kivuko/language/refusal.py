"""Words and place for a text that is no program, as OpenFn's parser (acorn) puts them: ``Unexpected token (2:21)``."""

from __future__ import annotations

import re
from typing import NamedTuple, NoReturn

from tree_sitter import Node

from kivuko.errors import JobSyntaxError
from kivuko.language.source import SourceText

__all__ = ["refuse", "refuse_error"]

TOKEN = (
    r"(?P<space>\s+|//[^\n\r\u2028\u2029]*|/\*.*?\*/)|(?P<comment>/\*)"
    r"|(?P<string>'(?:[^'\\\n\r]++|\\.)*+'|\"(?:[^\"\\\n\r]++|\\.)*+\")|(?P<quote>['\"])"
    r"|(?P<word>[\w$#]+)|(?P<sign>.)"
)
# The outer repeat is not possessive: Debian 12's Python 3.11.2 does not step back from the alternative that fails last.
TEMPLATE = r"[^`\\$]*+(?:(?:\\.|\$(?!\{))[^`\\$]*+)*(?P<end>`|\$\{)?"
REGEX = r"/(?:[^/\\\[\n\r]++|\\.|\[(?:[^\]\\\n\r]++|\\.)*+\])++/\w*"
CLOSING = {"(": ")", "[": "]", "{": "}", "${": "}"}
WORDS_BEFORE_REGEX = ("", "return", "typeof", "case", "in", "of", "delete", "void", "throw", "new", "else", "do")
BEFORE_REGEX = frozenset((*"(,=:[!&|?{};+-*%<>~^", *WORDS_BEFORE_REGEX))


class _Fault(NamedTuple):
    words: str
    offset: int


def refuse(source: SourceText, words: str, offset: int) -> NoReturn:
    """Raises JobSyntaxError for a byte offset; line 1-based, column 0-based."""
    line, column = source.position(offset)
    raise JobSyntaxError(f"{words} ({line}:{column})", line=line, column=column)


def refuse_error(source: SourceText, error: Node) -> NoReturn:
    """Raises JobSyntaxError for an error node: at the bracket or quote that has no partner, else where the node begins."""
    fault = _unpaired(source.text)
    if fault is None:
        refuse(source, "Unexpected token", error.start_byte)
    refuse(source, fault.words, len(source.text[: fault.offset].encode()))


def _unpaired(text: str) -> _Fault | None:
    """The first bracket, quote or comment without a partner. Divisions and regular expressions are told apart by the token before."""
    token = re.compile(TOKEN, re.DOTALL)
    place, before, stack = 0, "", list[str]()
    while match := token.match(text, place):
        kind, sign = match.lastgroup, match.group()
        place = match.end()
        if kind == "space":
            continue
        if kind == "comment":
            return _Fault("Unterminated comment", match.start())
        if kind == "quote":
            return _Fault("Unterminated string constant", match.start())
        if sign == "/" and before in BEFORE_REGEX:
            literal = re.compile(REGEX).match(text, match.start())
            if literal is None:
                return _Fault("Unterminated regular expression", place)
            place = literal.end()
        elif sign == "$" and text.startswith("{", place):
            place += 1
        elif sign == "`" or (sign == "}" and stack[-1:] == ["${"]):
            stack[-1:] = [] if sign == "}" else stack[-1:]
            end = _template_end(text, place)
            if end is None:
                return _Fault("Unterminated template", place)
            place = end
            if text[end - 1] == "{":
                stack.append("${")
        elif sign in CLOSING:
            stack.append(sign)
        elif sign in (")", "]", "}") and (not stack or CLOSING[stack.pop()] != sign):
            return _Fault("Unexpected token", match.start())
        before = sign
    return _Fault("Unexpected token", len(text)) if stack else None


def _template_end(text: str, place: int) -> int | None:
    """After the backtick that ends a template, or after the ``${`` that interrupts it."""
    match = re.compile(TEMPLATE, re.DOTALL).match(text, place)
    return match.end() if match is not None and match.group("end") else None
