"""XML as JSON (requirements §3.5): the root stays as the one key, prefixes go, repeated siblings become an array.

Attributes are ``@name`` and text beside them ``#text``; a default namespace is kept as ``@xmlns``, as CommCare's JSON has it and filters
ask for it. An element without children and attributes is its text, "" when it is empty.
"""

from __future__ import annotations

from typing import NoReturn
from xml.parsers import expat

from kivuko.errors import MalformedBody, UnusableBody

__all__ = ["DEEPEST_XML", "XmlDocument", "read_xml"]

DEEPEST_XML = 200
"""An element inside an array inside an object is two levels of JSON: this stays below what JSON bodies may have."""

_SEPARATOR = " "

Element = dict[str, object]


class XmlDocument:
    """What was read: ``value`` is the JSON value; ``root`` and ``soap_content`` are (namespace, name) of the root and of a Body's child."""

    def __init__(self) -> None:
        self.value: Element = {}
        self.root = ("", "")
        self.soap_content = ("", "")


def read_xml(text: bytes, charset: str | None = None) -> XmlDocument:
    """Reads a document. ``charset`` of the Content-Type rules over the declaration (RFC 7303 §3).

    Raises MalformedBody, or UnusableBody for entity declarations and what is nested too deeply: nothing is ever expanded or fetched.
    """
    reader = _Reader()
    try:
        parser = expat.ParserCreate(charset, _SEPARATOR)
        reader.listen_to(parser)
        parser.Parse(text, True)
    except expat.ExpatError as error:
        raise MalformedBody(
            f"the body is not XML: {expat.ErrorString(error.code)} at line {error.lineno}, column {error.offset}"
        ) from error
    except (ValueError, LookupError) as error:
        raise MalformedBody(f"the body is not XML that can be read: {error}") from error
    return reader.document


class _Reader:
    """Builds the value while expat reads: one open element for each level."""

    def __init__(self) -> None:
        self.document = XmlDocument()
        self._open: list[tuple[str, Element, list[str]]] = []
        self._namespace: str | None = None

    def listen_to(self, parser: expat.XMLParserType) -> None:
        parser.buffer_text = True
        parser.namespace_prefixes = False
        parser.ordered_attributes = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartNamespaceDeclHandler = self._declare
        parser.EntityDeclHandler = _refuse_entities
        parser.SkippedEntityHandler = _refuse_entities
        parser.ExternalEntityRefHandler = _refuse_entities

    def _declare(self, prefix: str | None, uri: str | None) -> None:
        if prefix is None:
            self._namespace = uri

    def _start(self, name: str, attributes: list[str]) -> None:
        if len(self._open) >= DEEPEST_XML:
            raise UnusableBody(f"the body is nested more than {DEEPEST_XML} elements deep", fix="Send a flatter document.")
        self._note(name)
        element: Element = {}
        if self._namespace is not None:
            element["@xmlns"], self._namespace = self._namespace, None
        for at in range(0, len(attributes), 2):
            element.setdefault("@" + attributes[at].rpartition(_SEPARATOR)[2], attributes[at + 1])
        self._open.append((name.rpartition(_SEPARATOR)[2], element, []))

    def _end(self, _: str) -> None:
        name, element, texts = self._open.pop()
        text = "".join(texts).strip()
        if element and text:
            element["#text"] = text
        value: object = element or text
        if self._open:
            _add(self._open[-1][1], name, value)
        else:
            self.document.value = {name: value}

    def _text(self, text: str) -> None:
        self._open[-1][2].append(text)

    def _note(self, name: str) -> None:
        """Remembers what the outermost elements are, with their namespaces: which protocol it is."""
        namespace, _, local = name.rpartition(_SEPARATOR)
        if not self._open:
            self.document.root = (namespace, local)
        elif len(self._open) == 2 and self._open[1][0] == "Body":
            self.document.soap_content = (namespace, local)


def _add(parent: Element, name: str, value: object) -> None:
    if name not in parent:
        parent[name] = value
        return
    there = parent[name]
    if isinstance(there, list):
        there.append(value)
    else:
        parent[name] = [there, value]


def _refuse_entities(*_: object) -> NoReturn:
    raise UnusableBody("the body declares or uses XML entities of its own, which are never expanded", fix="Write the text out.")
