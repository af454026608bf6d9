"""The OpenAPI 3.1 document, and a page that shows it: both are made of the code, once a process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from html import escape
from importlib import import_module
from typing import Any

import orjson
from pydantic import BaseModel

from kivuko.platform.api.application import KivukoApi
from kivuko.platform.api.routes import credentials, inboxes, projects
from kivuko.platform.api.shapes.workflows import WorkflowWritten
from kivuko.platform.page import page

__all__ = ["PREFIX", "document", "document_bytes", "operations", "page_html"]

PREFIX = "/api/v1/"
_REF = "#/components/schemas/{model}"
_WRITTEN: tuple[type[BaseModel], ...] = (
    WorkflowWritten,
    projects.ProjectWritten,
    inboxes.InboxWritten,
    inboxes.AuthMethodWritten,
    credentials.CredentialWritten,
)
"""What is written by a document that is read by the platform itself, so that no operation's signature names it."""

_PROBLEM: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "What went wrong (RFC 9457): `code` is stable, `detail` says what and where, `action` what to do.",
    "required": ["type", "status", "title", "code", "detail", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "status": {"type": "integer"},
        "title": {"type": "string"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "action": {"type": "string"},
        "errors": {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}},
        "current": {"type": ["object", "null"]},
        "retry_after_s": {"type": "number"},
        "run_id": {"type": "string", "format": "uuid"},
        "request_id": {"type": "string"},
    },
    "examples": [
        {
            "type": "about:blank",
            "status": 422,
            "title": "The request is not valid",
            "code": "validation_failed",
            "detail": "triggers.0.cron_expression: hour must be 0–23, got 25.",
            "action": "Correct the fields that `errors` names.",
            "errors": {"triggers.0.cron_expression": ["hour must be 0–23, got 25"]},
            "request_id": "0192f0a1-7c3e-7b42-8d11-3f2a9c4e5b60",
        }
    ],
}
_METHODS = ("get", "post", "put", "patch", "delete")


@cache
def document() -> Mapping[str, Any]:
    """The document. Made when it is first asked for, after all routes are there."""
    schema: dict[str, Any] = dict(_api().get_openapi_schema(path_prefix=PREFIX))
    schemas = schema["components"]["schemas"]
    for model in _WRITTEN:
        described = model.model_json_schema(ref_template=_REF)
        schemas.update(described.pop("$defs", {}))
        schemas[model.__name__] = described
    schemas["Problem"] = _PROBLEM
    for _, _, operation in operations(schema):
        _complete(operation)
    schema["tags"] = [{"name": tag} for tag in sorted({tag for _, _, each in operations(schema) for tag in each.get("tags", [])})]
    return schema


def operations(schema: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(path, method, operation) of a document, in its order."""
    for path, methods in schema["paths"].items():
        for method in _METHODS:
            if method in methods:
                yield path, method, methods[method]


@cache
def document_bytes() -> bytes:
    """The document as JSON."""
    return orjson.dumps(document(), option=orjson.OPT_NON_STR_KEYS)


@cache
def page_html() -> str:
    """A page with every route: method, path, what it does, parameters, bodies."""
    schema = document()
    parts = [_HEAD]
    tag = ""
    for path, method, operation in sorted(operations(schema), key=lambda each: (each[2].get("tags", [""])[0], each[0])):
        if operation["tags"][0] != tag:
            tag = operation["tags"][0]
            parts.append(f"<h2>{escape(tag)}</h2>")
        parts.append(_section(path, method, operation))
    return page("Kivuko REST API", "".join(parts))


_HEAD = (
    '<p>The whole document: <a href="openapi.json">openapi.json</a> (OpenAPI 3.1). '
    'Who has no token yet <a href="/sign-in">signs in</a>.</p>'
)


def _api() -> KivukoApi:
    # The routes of this document are among them: they cannot be imported here.
    found: KivukoApi = import_module("kivuko.platform.api.urls").api
    return found


def _complete(operation: dict[str, Any]) -> None:
    schema = {"$ref": _REF.format(model="Problem")}
    operation["responses"] = {str(status): answer for status, answer in operation["responses"].items()}
    for status, answer in operation["responses"].items():
        if status == "200" and "content" not in answer:
            answer["content"] = {"application/json": {"schema": {}}}
    operation["responses"]["default"] = {
        "description": "What went wrong",
        "content": {"application/problem+json": {"schema": schema}},
    }


def _unfolded(schema: Any) -> Any:
    """A schema with what its references name in their place: a page has nowhere else to look."""
    if isinstance(schema, list):
        return [_unfolded(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _unfolded(document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    return {key: _unfolded(each) for key, each in schema.items()}


def _section(path: str, method: str, operation: Mapping[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(each['name'])}</code><td>{escape(each['in'])}<td>{escape(each.get('description', ''))}"
        for each in operation["parameters"]
        if each["in"] == "query"
    )
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    shown = f"<pre>{escape(orjson.dumps(_unfolded(body), option=orjson.OPT_INDENT_2).decode())}</pre>" if body else ""
    return (
        f"<details><summary><b>{method.upper()}</b> <code>{escape(path)}</code> {escape(operation['summary'])}</summary>"
        f"<p>{escape(operation.get('description', ''))}</p><table>{rows}</table>{shown}</details>"
    )
