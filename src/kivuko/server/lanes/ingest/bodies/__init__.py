"""Message bodies: from what senders send to the JSON that is stored, filtered and handed to jobs. Pure: no input or output."""

from kivuko.server.lanes.ingest.bodies.form import read_form
from kivuko.server.lanes.ingest.bodies.inflating import Inflater, inflater_for
from kivuko.server.lanes.ingest.bodies.jsontext import DEEPEST_BODY, check_json
from kivuko.server.lanes.ingest.bodies.mediatype import BodyKind, media_type
from kivuko.server.lanes.ingest.bodies.reading import Protocol, ReadBody, read_body
from kivuko.server.lanes.ingest.bodies.soap import SALESFORCE_ACKNOWLEDGEMENT
from kivuko.server.lanes.ingest.bodies.xmltext import DEEPEST_XML, read_xml

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
