"""A FHIR R4 server: REST on loopback that validates, stores, searches, pages, versions and runs transactions."""

from __future__ import annotations

import copy
import json
import re
from typing import Any
from urllib.parse import parse_qsl

from .fhir_rules import TYPES, issues_of, outcome
from .fhir_search import bundle_of, matches
from .loopback import Loopback, Reply, Request, basic_credentials

__all__ = ["PASSWORD", "USER", "FhirServer"]

USER, PASSWORD = "openfn", "fhir-pass"
_KIND = "application/fhir+json;charset=utf-8"
_BODIES = ("application/fhir+json", "application/json")

Resource = dict[str, Any]


class RefusedError(Exception):
    """The server refuses a request; carries the HTTP status and the OperationOutcome."""

    def __init__(self, status: int, code: str, *diagnostics: str) -> None:
        super().__init__(*diagnostics)
        self.status = status
        self.outcome = outcome(code, *diagnostics)


class FhirServer:
    """The server; the base of the API is ``server.url + "/fhir"``. Ids count up per type, so that tests know them.

    Wants Basic authentication as ``USER`` / ``PASSWORD`` except for ``/metadata``.
    """

    def __init__(self, page_size: int = 10) -> None:
        self.store: dict[str, dict[str, Resource]] = {kind: {} for kind in TYPES}
        self.gone: set[tuple[str, str]] = set()
        self.page_size = page_size
        self.server = Loopback(self.answer)

    def answer(self, request: Request) -> Reply:
        """Route one request; everything the server refuses comes back as an OperationOutcome."""
        try:
            return self._route(request)
        except RefusedError as refusal:
            return Reply(refusal.status, refusal.outcome, _KIND)

    def _route(self, request: Request) -> Reply:
        path = request.path.removeprefix("/fhir").strip("/")
        if path == "metadata":
            return Reply(200, _capabilities(), _KIND)
        if basic_credentials(request) != (USER, PASSWORD):
            raise RefusedError(401, "login", "Sign in with Basic authentication")
        kind, _, number = path.partition("/")
        if kind and kind not in TYPES:
            raise RefusedError(404, "not-supported", f"Unknown resource type '{kind}'")
        if request.method == "GET":
            return self._read(kind, number) if number else self._search(kind, request)
        if request.method == "DELETE":
            return self._delete(kind, number)
        resource = _resource_in(request)
        if request.method == "POST" and not kind:
            return Reply(200, self._transaction(resource), _KIND)
        if request.method == "POST" and not number:
            return self._create(kind, resource, request.headers.get("if-none-exist", ""))
        if request.method == "PUT" and number:
            return self._update(kind, number, resource)
        raise RefusedError(405, "not-supported", f"{request.method} is not supported at /{path}")

    def _read(self, kind: str, number: str) -> Reply:
        if (kind, number) in self.gone:
            raise RefusedError(410, "deleted", f"Resource {kind}/{number} was deleted")
        if number not in self.store[kind]:
            raise RefusedError(404, "not-found", f"Resource {kind}/{number} is not known")
        resource = self.store[kind][number]
        return Reply(200, resource, _KIND, {"etag": f'W/"{resource["meta"]["versionId"]}"'})

    def _search(self, kind: str, request: Request) -> Reply:
        found = [resource for resource in self.store[kind].values() if matches(resource, request.query)]
        size = int(request.parameter("_count", str(self.page_size)))
        address = f"{self.server.url}{request.path}"
        return Reply(200, bundle_of(found, address, request.query, size), _KIND)

    def _create(self, kind: str, resource: Resource, condition: str) -> Reply:
        if condition:
            found = [known for known in self.store[kind].values() if matches(known, tuple(parse_qsl(condition)))]
            if len(found) > 1:
                raise RefusedError(412, "multiple-matches", f"{len(found)} resources match '{condition}'")
            if found:
                return Reply(200, found[0], _KIND)
        number = str(max((int(known) for known in self.store[kind] if known.isdigit()), default=0) + 1)
        stored = self._put(kind, number, resource)
        return Reply(201, stored, _KIND, {"location": f"{self.server.url}/fhir/{kind}/{number}/_history/1"})

    def _update(self, kind: str, number: str, resource: Resource) -> Reply:
        if resource.get("id") != number:
            raise RefusedError(400, "invalid", f"The id in the resource ({resource.get('id')}) is not the one in the address ({number})")
        known = number in self.store[kind]
        return Reply(200 if known else 201, self._put(kind, number, resource), _KIND)

    def _delete(self, kind: str, number: str) -> Reply:
        if self.store[kind].pop(number, None) is None:
            raise RefusedError(404, "not-found", f"Resource {kind}/{number} is not known")
        self.gone.add((kind, number))
        return Reply(200, {"resourceType": "OperationOutcome", "issue": [{"severity": "information", "code": "informational"}]}, _KIND)

    def _put(self, kind: str, number: str, resource: Resource) -> Resource:
        if resource.get("resourceType") != kind:
            raise RefusedError(400, "invalid", f"The body is a {resource.get('resourceType')}, the address says {kind}")
        if issues := issues_of(resource):
            raise RefusedError(422, "processing", *issues)
        for place, target in _references(resource, kind):
            owner, _, key = target.partition("/")
            if key not in self.store.get(owner, {}):
                raise RefusedError(400, "processing", f"Resource {target} not found, specified in path: {place}")
        version = int(self.store[kind].get(number, {}).get("meta", {}).get("versionId", 0)) + 1
        self.store[kind][number] = {**resource, "id": number, "meta": {**resource.get("meta", {}), "versionId": str(version)}}
        return self.store[kind][number]

    def _transaction(self, bundle: Resource) -> Resource:
        """All entries or none (FHIR R4 §3.1.0.11.2); ``urn:uuid:`` references point at entries before them."""
        if bundle.get("resourceType") != "Bundle" or bundle.get("type") != "transaction":
            raise RefusedError(400, "invalid", "A Bundle of type transaction was expected")
        before = copy.deepcopy(self.store)
        answers: list[Resource] = []
        known: dict[str, str] = {}
        try:
            for at, entry in enumerate(bundle.get("entry", [])):
                text = re.sub(r"urn:uuid:[\w-]+", lambda found: known.get(found[0], found[0]), json.dumps(entry.get("resource")))
                answers.append(self._run_entry(at, entry, json.loads(text)))
                known[entry.get("fullUrl", "")] = answers[-1]["response"]["location"]
        except RefusedError:
            self.store = before
            raise
        return {"resourceType": "Bundle", "type": "transaction-response", "entry": answers}

    def _run_entry(self, at: int, entry: Resource, resource: Resource) -> Resource:
        asked = entry.get("request", {})
        kind, _, number = asked.get("url", "").partition("/")
        if kind not in TYPES or asked.get("method") not in ("POST", "PUT"):
            raise RefusedError(400, "invalid", f"Bundle.entry[{at}].request: {asked.get('method')} {asked.get('url')} is not supported")
        if asked["method"] == "PUT":
            reply = self._update(kind, number, resource)
        else:
            reply = self._create(kind, resource, asked.get("ifNoneExist", ""))
        status = {200: "200 OK", 201: "201 Created"}[reply.status]
        return {"response": {"status": status, "location": f"{kind}/{reply.body['id']}"}}


def _resource_in(request: Request) -> Resource:
    kind = request.headers.get("content-type", "").partition(";")[0]
    if kind not in _BODIES:
        raise RefusedError(415, "not-supported", f"Content type '{kind}' is not supported")
    try:
        resource = request.json()
    except ValueError as error:
        raise RefusedError(400, "structure", f"Failed to parse the body: {error}") from error
    if not isinstance(resource, dict):
        raise RefusedError(400, "structure", "The body is not a resource")
    return resource


def _references(value: Any, place: str) -> list[tuple[str, str]]:
    """Every literal reference inside a resource, with the path where it stands."""
    if isinstance(value, list):
        return [found for item in value for found in _references(item, place)]
    if not isinstance(value, dict):
        return []
    own = [(place, value["reference"])] if isinstance(value.get("reference"), str) else []
    return own + [found for key, item in value.items() for found in _references(item, f"{place}.{key}")]


def _capabilities() -> Resource:
    resources = [{"type": kind, "interaction": [{"code": code} for code in ("read", "search-type", "create", "update", "delete")]}
                 for kind in TYPES]  # fmt: skip
    rest = [{"mode": "server", "resource": resources, "interaction": [{"code": "transaction"}]}]
    return {"resourceType": "CapabilityStatement", "status": "active", "kind": "instance", "fhirVersion": "4.0.1", "rest": rest}
