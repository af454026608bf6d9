"""XML as JSON, and what XML may not do."""

from __future__ import annotations

import gc
import tracemalloc

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kivuko.errors import MalformedBody, UnusableBody
from kivuko.server.lanes.ingest.bodies import DEEPEST_XML, read_xml

NAMES = st.sampled_from(["a", "b", "Id", "form.x", "_y"])
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=12).map(lambda text: text.strip())


@pytest.mark.parametrize(
    ("xml", "value"),
    [
        ("<a/>", {"a": ""}),
        ("<a>x</a>", {"a": "x"}),
        ("<a> x y\n</a>", {"a": "x y"}),
        ("<a><b>1</b><c>2</c></a>", {"a": {"b": "1", "c": "2"}}),
        ("<a><b>1</b><b>2</b><b/></a>", {"a": {"b": ["1", "2", ""]}}),
        ("<a><b><c>1</c></b></a>", {"a": {"b": {"c": "1"}}}),
        ('<a id="7"/>', {"a": {"@id": "7"}}),
        ('<a id="7">x</a>', {"a": {"@id": "7", "#text": "x"}}),
        ("<a>x<b/>y</a>", {"a": {"b": "", "#text": "xy"}}),
        ('<s:a xmlns:s="urn:s" s:id="1"><s:b/></s:a>', {"a": {"@id": "1", "b": ""}}),
        ('<a xmlns="urn:s"><b/></a>', {"a": {"@xmlns": "urn:s", "b": ""}}),
        ('<a xmlns:s="urn:s" id="1" s:id="2"/>', {"a": {"@id": "1"}}),
        ("<a><![CDATA[<x> & y]]></a>", {"a": "<x> & y"}),
        ("<a>&lt;&#233;&amp;</a>", {"a": "<é&"}),
        ("<!-- c --><?pi x?><a><!-- d --><b/></a>", {"a": {"b": ""}}),
        ("<!DOCTYPE a><a/>", {"a": ""}),
        ("<form><group1><name>x</name></group1></form>", {"form": {"group1": {"name": "x"}}}),
    ],
)
def test_elements_become_keys(xml: str, value: object) -> None:
    assert read_xml(xml.encode()).value == value


@pytest.mark.parametrize(
    ("xml", "charset"),
    [
        ('<?xml version="1.0" encoding="ISO-8859-1"?><a>é</a>'.encode("latin-1"), None),
        ("<a>é</a>".encode("latin-1"), "iso-8859-1"),
        ("<a>é</a>".encode("cp1252"), "windows-1252"),
        ("<a>é</a>".encode("utf-16"), None),
        ("<a>é</a>".encode(), None),
    ],
)
def test_the_encoding_is_the_headers_or_the_declarations(xml: bytes, charset: str | None) -> None:
    assert read_xml(xml, charset).value == {"a": "é"}


@pytest.mark.parametrize("xml", [b"", b"x", b"<a>", b"<a></b>", b"<a/><b/>", b"<a>\xff</a>", b"<a>\x00</a>", b"<s:a/>", b"<a b=1/>", b"{}"])
def test_what_is_not_xml_is_refused(xml: bytes) -> None:
    with pytest.raises(MalformedBody, match="not XML"):
        read_xml(xml)


@pytest.mark.parametrize("charset", ["no-such", "utf-7", "big5", "\x00", "x" * 500])
def test_an_encoding_that_cannot_be_read_is_refused(charset: str) -> None:
    with pytest.raises(MalformedBody):
        read_xml(b"<a>\xe9</a>", charset)


LAUGHS = b'<!DOCTYPE a [<!ENTITY x "ha">' + b"".join(b'<!ENTITY x%d "%s">' % (at, b"&x;" * 10) for at in range(9)) + b"]><a>&x8;</a>"


@pytest.mark.parametrize(
    "xml",
    [
        b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        b'<!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1:1/x">%x;]><a/>',
        b'<!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd"><a>&x;</a>',
        LAUGHS,
    ],
)
def test_entities_are_never_expanded_or_fetched(xml: bytes) -> None:
    with pytest.raises(UnusableBody, match="entities"):
        read_xml(xml)


def test_nesting_is_bounded_and_stays_below_what_json_may_have() -> None:
    deepest = b"<a>" * DEEPEST_XML + b"</a>" * DEEPEST_XML
    assert orjson.dumps(read_xml(deepest).value)
    with pytest.raises(UnusableBody, match="elements deep"):
        read_xml(b"<a>" * 1_000_000)


def test_many_siblings_take_time_and_memory_in_proportion() -> None:
    tracemalloc.start()
    value = read_xml(b"<a>" + b"<b/>" * 200_000 + b"</a>").value
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(value["a"]["b"]) == 200_000  # type: ignore[index, call-overload]
    assert peak < 40_000_000
    gc.collect()


@given(
    st.recursive(
        TEXTS, lambda inner: st.dictionaries(NAMES, inner | st.lists(inner, min_size=2, max_size=3), min_size=1, max_size=3), max_leaves=12
    )
)
def test_what_is_written_as_xml_is_read_back(value: object) -> None:
    assert read_xml(f"<root>{written(value)}</root>".encode()).value == {"root": value}


@given(st.binary(max_size=100) | st.text("<>/ab=\"'&;#x! []-?DOCTYPENI", max_size=80).map(lambda text: f"<a>{text}</a>".encode()))
def test_whatever_comes_is_taken_or_refused(xml: bytes) -> None:
    try:
        orjson.dumps(read_xml(xml).value)
    except (MalformedBody, UnusableBody):
        return


def written(value: object) -> str:
    """XML of a value of texts, objects and arrays."""
    if isinstance(value, dict):
        return "".join(
            f"<{name}>{written(each)}</{name}>" for name, given in value.items() for each in (given if isinstance(given, list) else [given])
        )
    return str(value).replace("&", "&amp;").replace("<", "&lt;").replace("]]>", "]]&gt;")
