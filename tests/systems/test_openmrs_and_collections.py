"""OpenMRS and the collections API of the tests behave as the real ones where jobs depend on it."""

from __future__ import annotations

import base64
import json
from typing import Any

from systems.collections_api import TOKEN, CollectionsApi
from systems.loopback import Reply, Request
from systems.openmrs import PASSWORD, USER, OpenMrs, uuid_of

SIGN_IN = {"authorization": "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()}


def ask_openmrs(server: OpenMrs, method: str, path: str, body: Any = None, **query: str) -> Reply:
    """The server's reply to somebody signed in."""
    payload = b"" if body is None else json.dumps(body).encode()
    return server.answer(Request(method, f"/openmrs/ws/rest/v1/{path}", tuple(query.items()), SIGN_IN, payload))


def test_a_list_without_a_search_is_refused_as_openmrs_refuses_it() -> None:
    reply = ask_openmrs(OpenMrs(), "GET", "patient")
    assert (reply.status, sorted(reply.body["error"])) == (400, ["code", "detail", "message"])


def test_pages_link_to_the_next_until_the_last() -> None:
    server = OpenMrs(page_size=3)
    first = ask_openmrs(server, "GET", "patient", q="100").body
    assert (len(first["results"]), first["links"][0]["rel"]) == (3, "next")
    assert "startIndex=4" in first["links"][0]["uri"]
    last = ask_openmrs(server, "GET", "patient", q="100", startIndex="4").body
    assert (len(last["results"]), "links" in last) == (2, False)


def test_voided_patients_are_found_no_more() -> None:
    server = OpenMrs()
    assert ask_openmrs(server, "DELETE", f"patient/{uuid_of('patient', 1)}").status == 204
    assert ask_openmrs(server, "GET", "patient", q="amina").body["results"] == []
    assert ask_openmrs(server, "GET", f"patient/{uuid_of('patient', 1)}").body["voided"] is True


def test_who_is_not_signed_in_is_told_so() -> None:
    assert OpenMrs().answer(Request("GET", "/openmrs/ws/rest/v1/session", (), {}, b"")).status == 401


def ask_collections(api: CollectionsApi, method: str, path: str, body: Any = None, **query: str) -> Reply:
    """The API's reply to the holder of the token."""
    payload = b"" if body is None else json.dumps(body).encode()
    return api.answer(Request(method, f"/collections/{path}", tuple(query.items()), {"authorization": f"Bearer {TOKEN}"}, payload))


def test_a_cursor_leads_through_a_collection() -> None:
    api = CollectionsApi({"c": {"a": "1", "b": "2", "d": "3"}})
    first = ask_collections(api, "GET", "c", limit="2").body
    assert first == {"items": [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}], "cursor": "b"}
    assert ask_collections(api, "GET", "c", limit="2", cursor="b").body == {"items": [{"key": "d", "value": "3"}], "cursor": None}


def test_keys_are_set_read_and_removed_by_pattern() -> None:
    api = CollectionsApi({"c": {}})
    assert ask_collections(api, "GET", "c/a").status == 204
    assert ask_collections(api, "POST", "c", {"items": [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}]}).body["upserted"] == 2
    assert ask_collections(api, "GET", "c/a").body == {"key": "a", "value": "1"}
    assert ask_collections(api, "DELETE", "c", key="a*").body == {"deleted": 1, "keys": ["a"]}
    assert ask_collections(api, "GET", "nowhere").status == 404
    assert api.answer(Request("GET", "/collections/c", (), {}, b"")).status == 401
