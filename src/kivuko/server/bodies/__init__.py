"""Message bodies: from what senders send to the JSON that is stored, filtered and handed to jobs. Pure: no input or output."""

from kivuko.server.bodies.form import read_form
from kivuko.server.bodies.inflating import Inflater, inflater_for
from kivuko.server.bodies.jsontext import DEEPEST_BODY, check_json
from kivuko.server.bodies.mediatype import BodyKind, media_type
from kivuko.server.bodies.reading import Protocol, ReadBody, read_body
from kivuko.server.bodies.soap import SALESFORCE_ACKNOWLEDGEMENT
from kivuko.server.bodies.xmltext import DEEPEST_XML, read_xml

__all__ = [
    "DEEPEST_BODY",
    "DEEPEST_XML",
    "SALESFORCE_ACKNOWLEDGEMENT",
    "BodyKind",
    "Inflater",
    "Protocol",
    "ReadBody",
    "check_json",
    "inflater_for",
    "media_type",
    "read_body",
    "read_form",
    "read_xml",
]
