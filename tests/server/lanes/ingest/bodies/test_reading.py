"""The table of message bodies (requirements §3.5): each form a sender may use, and the JSON that jobs see."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kivuko.errors import MalformedBody, RequestRefused, UnsupportedMediaType
from kivuko.server.lanes.ingest.bodies import SALESFORCE_ACKNOWLEDGEMENT, BodyKind, Protocol, ReadBody, read_body, read_xml
from kivuko.workflow.filters import read_filter, read_json

FIXTURES = Path(__file__).parent / "fixtures"
EVERY = frozenset(BodyKind)
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=xYz"


def read(body: bytes | str, content_type: str | None, query: bytes | None = None, kinds: frozenset[BodyKind] = EVERY) -> Any:
    """The JSON value that comes of a body."""
    return json.loads(taken(body, content_type, query, kinds).json)


def taken(body: bytes | str, content_type: str | None, query: bytes | None = None, kinds: frozenset[BodyKind] = EVERY) -> ReadBody:
    """What comes of a body."""
    return read_body(body if isinstance(body, bytes) else body.encode(), content_type, kinds=kinds, query=query)


def multipart(*parts: tuple[str, bytes]) -> bytes:
    """A multipart body; each part is (headers, content)."""
    return b"".join(b"--xYz\r\n" + head.encode() + b"\r\n\r\n" + content + b"\r\n" for head, content in parts) + b"--xYz--\r\n"


@pytest.mark.parametrize(
    ("body", "content_type", "value"),
    [
        ('{"a":1}', "application/json", {"a": 1}),
        ("[1]", "application/json; charset=utf-8", [1]),
        ("7", "text/json", 7),
        ('{"a":1}', "application/fhir+json", {"a": 1}),
        ('{"a":1}', None, {"a": 1}),
        ("<a>1</a>", "application/xml", {"a": "1"}),
        ("<a>1</a>", "text/xml; charset=UTF-8", {"a": "1"}),
        ("<a>1</a>", "application/soap+xml", {"a": "1"}),
        (" <a>1</a>", None, {"a": "1"}),
        ("a=1&b=x+y%C3%A9", FORM, {"a": "1", "b": "x yé"}),
        ("a=1&a=2&b=", FORM, {"a": ["1", "2"], "b": ""}),
        ("$.form=7&*meta-instance-id*=u&a;b=1", FORM, {"$.form": "7", "*meta-instance-id*": "u", "a;b": "1"}),
        ('{"a": "1=2&3"}', FORM, {"a": "1=2&3"}),
        (' [{"a":1}]\n', f"{FORM}; charset=UTF-8", [{"a": 1}]),
        ("{a=1&[b]=2", FORM, {"{a": "1", "[b]": "2"}),
        ("7", FORM, {"7": ""}),
        ("", FORM, {}),
        ("", "application/json", {}),
        ("", None, {}),
    ],
)
def test_every_form_of_body_becomes_json(body: str, content_type: str | None, value: object) -> None:
    assert read(body, content_type) == value


def test_a_request_without_body_is_its_query_where_that_counts() -> None:
    assert read("", None, b"a=1&b=%C3%A9") == {"a": "1", "b": "é"}
    assert read('{"c":1}', "application/json", b"a=1") == {"c": 1}


@pytest.mark.parametrize("content_type", ["text/plain", "application/octet-stream", "image/png", "nonsense", "text/html", ";", '"'])
def test_other_types_are_refused(content_type: str) -> None:
    with pytest.raises(UnsupportedMediaType):
        read('{"a":1}', content_type)


@pytest.mark.parametrize(("body", "content_type"), [("<a/>", "text/xml"), ("<a/>", None), ("a=1", FORM)])
def test_kinds_that_an_address_does_not_take_are_refused(body: str, content_type: str | None) -> None:
    with pytest.raises(UnsupportedMediaType, match="not taken"):
        read(body, content_type, kinds=frozenset({BodyKind.JSON}))


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"{", "application/json"),
        (b"<a", "text/xml"),
        (b"a=%FF", FORM),
        (b"\xff=1", FORM),
        (b"&".join([b"a=1"] * 20_000), FORM),
        (b"--xYz\r\n", MULTIPART),
        (b"nothing", MULTIPART),
        (multipart(('content-disposition: form-data; name="a"', b"\xff")), MULTIPART),
        (multipart(("content-type: text/plain", b"1")), MULTIPART),
        (multipart(('content-disposition: form-data; name="a"', b"1"))[:-9], MULTIPART),
        (multipart(('content-disposition: form-data; name="a"', b"1")), "multipart/form-data"),
        (multipart(*[('content-disposition: form-data; name="a"', b"")] * 1001), MULTIPART),
        (multipart(*[('content-disposition: form-data; name="xml_submission_file"', b"<a/>")] * 2), MULTIPART),
    ],
)
def test_bodies_that_cannot_be_read_are_refused(body: bytes, content_type: str) -> None:
    with pytest.raises(MalformedBody):
        read(body, content_type)


def test_the_filter_of_the_docs_matches_an_openrosa_form() -> None:
    xml = (FIXTURES / "open_rosa.xml").read_bytes()
    body = taken(xml, "text/xml")
    wanted = {"data": {"@xmlns": "http://openrosa.org/formdesigner/7b2d1d59"}}
    assert read_filter(wanted).matches(read_json(body.json))
    assert read(xml, "text/xml")["data"]["household"] == [{"name": "Amina", "age": "34"}, {"name": "Juma", "age": ""}]
    assert read(xml, "text/xml")["data"]["meta"]["instanceID"].startswith("uuid:")


def test_an_openrosa_submission_is_its_form_with_its_attachments() -> None:
    xml = (FIXTURES / "open_rosa.xml").read_bytes()
    body = multipart(
        ('Content-Disposition: form-data; name="xml_submission_file"; filename="f.xml"\r\nContent-Type: text/xml', xml),
        ('Content-Disposition: form-data; name="photo.jpg"; filename="photo.jpg"\r\nContent-Type: image/jpeg', b"\xff\xd8\r\n--x"),
        ('Content-Disposition: form-data; name="*isIncomplete*"', b"yes"),
    )
    found = taken(body, MULTIPART)
    value = json.loads(found.json)
    assert found.protocol is Protocol.OPENROSA
    assert value["data"] == read(xml, "text/xml")["data"]
    assert value["@attachments"] == [{"name": "photo.jpg", "content_type": "image/jpeg", "size_bytes": 7, "content_base64": "/9gNCi0teA=="}]
    assert value["@fields"] == {"*isIncomplete*": "yes"}


def test_an_openrosa_submission_without_attachments_is_its_form_alone() -> None:
    body = multipart(('Content-Disposition: form-data; name="xml_submission_file"; filename="f.xml"', b"<data><a>1</a></data>"))
    assert read(body, MULTIPART) == {"data": {"a": "1"}}


def test_multipart_fields_and_files_become_an_object() -> None:
    body = multipart(
        ('Content-Disposition: form-data; name="a"', "é".encode()),
        ('Content-Disposition: form-data; name="a"', b"2"),
        ('Content-Disposition: form-data; name="f"; filename="x.txt"\r\nContent-Type: text/plain', b"hello"),
    )
    assert read(body, MULTIPART) == {
        "a": ["é", "2"],
        "f": {"name": "x.txt", "content_type": "text/plain", "size_bytes": 5, "content_base64": "aGVsbG8="},
    }


def test_a_salesforce_outbound_message_is_read_and_known() -> None:
    found = taken((FIXTURES / "salesforce.xml").read_bytes(), "text/xml; charset=utf-8")
    notifications = json.loads(found.json)["Envelope"]["Body"]["notifications"]
    assert found.protocol is Protocol.SALESFORCE
    assert notifications["Notification"]["sObject"]["SMS__Phone_Number__c"] == "+255700000001"
    assert notifications["Notification"]["sObject"]["@type"] == "sf:SMS__c"
    wanted = {"Envelope": {"Body": {"notifications": {"OrganizationId": "00D000000000001AAA"}}}}
    assert read_filter(wanted).matches(read_json(found.json))


def test_two_notifications_are_a_list_as_filters_ask() -> None:
    xml = (FIXTURES / "salesforce.xml").read_text("utf-8")
    start, end = xml.index("<Notification>"), xml.index("</Notification>") + len("</Notification>")
    found = taken(xml[:end] + xml[start:end] + xml[end:], "text/xml")
    assert read_filter({"Envelope": {"Body": {"notifications": {"Notification": []}}}}).matches(read_json(found.json))


@pytest.mark.parametrize(
    "xml",
    [
        '<Envelope><Body><notifications xmlns="http://soap.sforce.com/2005/09/outbound"/></Body></Envelope>',
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><notifications/></e:Body></e:Envelope>',
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body/></e:Envelope>',
    ],
)
def test_other_envelopes_are_plain_xml(xml: str) -> None:
    assert taken(xml, "text/xml").protocol is Protocol.PLAIN


def test_the_acknowledgement_says_ack_true() -> None:
    value: Any = read_xml(SALESFORCE_ACKNOWLEDGEMENT).value
    assert value["Envelope"]["Body"]["notificationsResponse"]["Ack"] == "true"


TYPES = st.sampled_from(
    [None, "application/json", "text/xml", FORM, MULTIPART, "text/xml; charset=utf-16", "multipart/form-data; boundary="]
)
PIECES = st.lists(
    st.sampled_from(
        [b"--xYz", b"--", b"\r\n", b"content-disposition: form-data; name=", b'"a"', b'; filename="', b":", b"x", b"\xff", b"=", b"&"]
    ),
    max_size=25,
).map(b"".join)


@given(st.binary(max_size=120) | PIECES, TYPES | st.text(max_size=20), st.binary(max_size=20))
def test_whatever_comes_is_taken_or_refused(body: bytes, content_type: str | None, query: bytes) -> None:
    try:
        found = read_body(body, content_type, kinds=EVERY, query=query)
    except RequestRefused:
        return
    json.loads(found.json)
