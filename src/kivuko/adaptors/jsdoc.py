"""Reads JSDoc comments: description, tags, parameters, examples."""

from __future__ import annotations

import re

from kivuko.value import value

__all__ = ["Example", "JsDoc", "Parameter", "read_jsdoc"]

_LINE_START = re.compile(r"^\s*\*? ?", re.MULTILINE)
_TAG = re.compile(r"^[ \t]*@(\w+)", re.MULTILINE)
_CAPTION = re.compile(r"\s*<caption>(.*?)</caption>\s*?\n?", re.DOTALL)
_PARAM = re.compile(r"(\[[^\]]*\]|[\w$.]+)(?:\s*-?\s*(.*))?", re.DOTALL)


@value
class Example:
    """A piece of code with what is written above it."""

    code: str
    caption: str = ""


@value
class Parameter:
    """A parameter as documented; ``type`` is empty when the comment names none."""

    name: str
    type: str = ""
    optional: bool = False
    description: str = ""


@value
class JsDoc:
    """A comment. ``tags`` are titles and texts in order, those of parameters and examples included."""

    description: str = ""
    tags: tuple[tuple[str, str], ...] = ()

    def has(self, *titles: str) -> bool:
        """Whether one of the tags is there."""
        return any(title in titles for title, _ in self.tags)

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The ``@param`` tags of the function itself; those of an option (``options.x``) are left out."""
        found = (_parameter(text) for title, text in self.tags if title in {"param", "arg", "argument"})
        return tuple(parameter for parameter in found if parameter and "." not in parameter.name)

    @property
    def examples(self) -> tuple[Example, ...]:
        """The ``@example`` tags."""
        return tuple(_example(text) for title, text in self.tags if title == "example")

    @property
    def returns(self) -> str:
        """The type of the ``@returns`` tag, or nothing."""
        texts = [text for title, text in self.tags if title in {"returns", "return"}]
        return _typed(texts[0])[0] if texts else ""


def read_jsdoc(comment: str) -> JsDoc:
    """Reads the text of a ``/** … */`` comment, its marks included or not."""
    body = _LINE_START.sub("", comment.strip().removeprefix("/**").removesuffix("*/"))
    starts = list(_TAG.finditer(body))
    ends = [match.start() for match in starts[1:]] + [len(body)]
    tags = tuple((match.group(1), body[match.end() : end].strip("\n").rstrip()) for match, end in zip(starts, ends, strict=False))
    description = body[: starts[0].start()] if starts else body
    described = next((text.strip() for title, text in tags if title in {"description", "desc"}), "")
    return JsDoc(description.strip() or described, tags)


def _parameter(text: str) -> Parameter | None:
    kind, rest = _typed(text)
    match = _PARAM.match(rest.strip())
    if not match:
        return None
    name, description = match.group(1), (match.group(2) or "").strip()
    optional = name.startswith("[") or kind.endswith("=")
    return Parameter(name.strip("[]").partition("=")[0].strip(), kind.removesuffix("="), optional, description)


def _typed(text: str) -> tuple[str, str]:
    """The ``{type}`` at the start of a tag's text, braces may be nested, and what follows."""
    stripped = text.lstrip()
    if not stripped.startswith("{"):
        return "", stripped
    depth = 0
    for position, character in enumerate(stripped):
        depth += (character == "{") - (character == "}")
        if depth == 0:
            return stripped[1:position].strip(), stripped[position + 1 :].strip()
    return "", stripped


def _example(text: str) -> Example:
    match = _CAPTION.match(text)
    caption = " ".join(match.group(1).split()) if match else ""
    return Example((text[match.end() :] if match else text).strip("\n").strip(), caption)
