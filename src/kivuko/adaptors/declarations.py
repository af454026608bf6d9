"""Finds the functions that a TypeScript declaration file, or an old CommonJS source, offers.

No compiler: comments and signatures are enough.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kivuko.adaptors.jsdoc import JsDoc, Parameter, read_jsdoc
from kivuko.value import replace, value

__all__ = ["Declarations", "Function", "read_declarations"]

_FUNCTION = re.compile(r"(?:export\s+)?(?:default\s+)?(?:declare\s+)?(?:async\s+)?function\s*\*?\s+([\w$]+)\s*(?=[<(])")
_COMMENT = re.compile(r"/\*\*.*?\*/", re.DOTALL)
_NAMESPACE = re.compile(r"export\s+\*\s+as\s+([\w$]+)\s+from\s+['\"]([^'\"]+)['\"]")
_STAR = re.compile(r"export\s+\*\s+from\s+['\"]([^'\"]+)['\"]")
_LIST = re.compile(r"export\s*\{([^}]*)\}(?:\s*from\s+['\"]([^'\"]+)['\"])?")
_BLOCK = re.compile(r"(?:export|declare)\s+namespace\s+([\w$]+)\s*\{")
_CLOSING = {"(": ")", "[": "]", "{": "}", "<": ">"}


@value
class Function:
    """A declared function: name, documented comment, parameters with the types of the signature, type of the result."""

    name: str
    doc: JsDoc
    parameters: tuple[Parameter, ...]
    returns: str


@value
class Declarations:
    """What a file declares and passes on.

    ``namespaces`` are ``(name, module)`` of ``export * as``; ``passed_on`` are modules of ``export * from``; ``aliases`` are
    ``(own name, name there, module)`` of export lists that name a module. Functions that a list exports under another name have that name.
    """

    functions: tuple[Function, ...]
    namespaces: tuple[tuple[str, str], ...]
    passed_on: tuple[str, ...]
    aliases: tuple[tuple[str, str, str], ...]


def read_declarations(text: str) -> Declarations:
    """Reads a file. Of functions declared more than once (overloads) the first documented one counts."""
    found: dict[str, Function] = {}
    for function in _functions(text):
        known = found.get(function.name)
        if known is None or (not known.doc.tags and function.doc.tags):
            found[function.name] = function
    plain = _COMMENT.sub("", text)
    lists = [(own, there, match.group(2)) for match in _LIST.finditer(plain) for own, there in _names(match.group(1))]
    renamed = {there: own for own, there, module in lists if not module and own != "default"}
    return Declarations(
        functions=tuple(replace(function, name=renamed.get(function.name, function.name)) for function in found.values()),
        namespaces=tuple((match.group(1), match.group(2)) for match in _NAMESPACE.finditer(plain)),
        passed_on=tuple(match.group(1) for match in _STAR.finditer(plain)),
        aliases=tuple((own, there, module) for own, there, module in lists if module),
    )


def _functions(text: str) -> Iterator[Function]:
    comments = {match.end(): match.group() for match in _COMMENT.finditer(text)}
    hidden = [(match.start(), match.end()) for match in _COMMENT.finditer(text)]
    hidden += [(match.start(), _end_of(text, match.end() - 1)) for match in _BLOCK.finditer(text)]
    for match in _FUNCTION.finditer(text):
        if any(start < match.start() < end for start, end in hidden):
            continue
        doc = read_jsdoc(next((comment for end, comment in comments.items() if not text[end : match.start()].strip()), ""))
        opening = _end_of(text, match.end()) if text[match.end()] == "<" else match.end()
        close = _end_of(text, opening)
        signature = tuple(_signature(part) for part in _split(text[opening + 1 : close - 1]) if part.strip())
        yield Function(match.group(1), doc, _merged(signature, doc), _result(text, close) or doc.returns)


def _names(listed: str) -> Iterator[tuple[str, str]]:
    for item in listed.split(","):
        there, _, own = (part.strip() for part in item.partition(" as "))
        if there and not there.startswith("type "):
            yield own or there, there


def _end_of(text: str, opening: int) -> int:
    """The place after the bracket that closes the one at ``opening``; the end of the text when it is not closed."""
    stack: list[str] = []
    for position in range(opening, len(text)):
        character = text[position]
        if character in _CLOSING:
            stack.append(_CLOSING[character])
        elif stack and character == stack[-1] and not (character == ">" and text[position - 1] == "="):
            stack.pop()
            if not stack:
                return position + 1
    return len(text)


def _split(text: str) -> list[str]:
    parts, depth, start = [], 0, 0
    for position, character in enumerate(text):
        is_arrow = character == ">" and text[position - 1 : position] == "="
        depth += (character in "([{<") - (character in ")]}>" and not is_arrow)
        if character == "," and depth == 0:
            parts.append(text[start:position])
            start = position + 1
    return [*parts, text[start:]]


def _signature(text: str) -> Parameter:
    cleaned = text.strip()
    if cleaned.startswith("{"):
        end = _end_of(cleaned, 0)
        return Parameter("options", cleaned[end:].lstrip(":? ").strip(), cleaned[end : end + 1] == "?")
    head, _, kind = cleaned.partition(":")
    name, has_default, _ = head.partition("=")
    return Parameter(name.strip().rstrip("?").lstrip("."), " ".join(kind.split()), name.strip().endswith("?") or bool(has_default))


def _merged(signature: tuple[Parameter, ...], doc: JsDoc) -> tuple[Parameter, ...]:
    documented = {parameter.name: parameter for parameter in doc.parameters}
    if not signature:
        return tuple(documented.values())
    return tuple(_filled(parameter, documented.get(parameter.name)) for parameter in signature)


def _filled(parameter: Parameter, documented: Parameter | None) -> Parameter:
    if documented is None:
        return parameter
    kind = documented.type if parameter.type in {"", "any"} and documented.type else parameter.type
    return replace(documented, type=kind, optional=parameter.optional or documented.optional)


def _result(text: str, close: int) -> str:
    match = re.compile(r"\s*:\s*([^;{]+|\{[^;]*);").match(text, close)
    return " ".join(match.group(1).split()) if match else ""
