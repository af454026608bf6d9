"""Salesforce's outbound messages: how they are known, and the acknowledgement without which Salesforce sends them again."""

from __future__ import annotations

from kivuko.server.lanes.ingest.bodies.xmltext import XmlDocument

__all__ = ["SALESFORCE_ACKNOWLEDGEMENT", "is_outbound_message"]

_ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
_OUTBOUND = "http://soap.sforce.com/2005/09/outbound"

SALESFORCE_ACKNOWLEDGEMENT = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    f'<soapenv:Envelope xmlns:soapenv="{_ENVELOPE}"><soapenv:Body>'
    f'<notificationsResponse xmlns="{_OUTBOUND}"><Ack>true</Ack></notificationsResponse>'
    "</soapenv:Body></soapenv:Envelope>"
).encode()
"""The body of the answer (Salesforce's SOAP API, outbound messaging WSDL: ``notificationsResponse``)."""


def is_outbound_message(document: XmlDocument) -> bool:
    """Whether a document is an envelope around Salesforce's ``notifications``; prefixes do not matter, namespaces do."""
    return document.root == (_ENVELOPE, "Envelope") and document.soap_content == (_OUTBOUND, "notifications")
