"""The steps of an execution plan: one JSON object each, and a Job or a Trigger here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from kivuko.errors import PlanError
from kivuko.workflow.edge import Edge
from kivuko.workflow.fields import Fields
from kivuko.workflow.job import Job, ModuleLink
from kivuko.workflow.trigger import Trigger
from kivuko.workflow.workflow import Node

__all__ = ["read_step", "write_step"]


def read_step(fields: Fields, identity: str) -> Node:
    """The Job, or without an expression the Trigger, that the fields of a step describe. Raises PlanError."""
    fields.take("id")
    fields.place = f"step {identity}"
    expression = fields.text("expression")
    edges = _read_edges(fields.take("next"), identity)
    if not expression:
        return Trigger(
            identity, fields.text("name"), kind=fields.text("type"), enabled=fields.truth("enabled"), edges=edges, extra=fields.rest()
        )
    return Job(
        identity,
        expression,
        name=fields.text("name"),
        adaptors=fields.texts("adaptors") or fields.texts("adaptor"),
        configuration=fields.mapping_or_text("configuration"),
        state=fields.mapping_or_text("state"),
        edges=edges,
        previous=fields.text("previous"),
        linker=_read_linker(fields),
        source_map=fields.take("sourceMap"),
        extra=fields.rest(),
    )


def write_step(node: Node) -> dict[str, object]:
    """The step of a plan for a Job or a Trigger; keys that say nothing are left out."""
    written: dict[str, object] = {"id": node.id, "name": node.name}
    if isinstance(node, Trigger):
        written |= {"type": node.kind, "enabled": node.enabled}
    else:
        written |= {"adaptors": list(node.adaptors) or None, "expression": node.expression, "configuration": node.configuration}
        written |= {"state": node.state, "previous": node.previous, "linker": _write_linker(node.linker), "sourceMap": node.source_map}
    written |= {**node.extra, "next": {edge.target: _write_edge(edge) for edge in node.edges} or None}
    return {key: value for key, value in written.items() if value is not None}


def _read_edges(value: object, source: str) -> tuple[Edge, ...]:
    if not value:
        return ()
    if isinstance(value, str):
        return (Edge(value),)
    if not isinstance(value, Mapping):
        raise PlanError(f'"next" of step {source} is neither a text nor an object', fix='Write "next": "id" or "next": {"id": true}.')
    return tuple(_read_edge(str(target), edge) for target, edge in value.items())


def _read_edge(target: str, value: object) -> Edge:
    if not isinstance(value, Mapping):
        return Edge(target, _condition(value))
    fields = Fields.of(value, f"the edge to {target}")
    condition = fields.take("condition")
    disabled = bool(fields.take("disabled"))
    return Edge(target, True if condition is None else _condition(condition), fields.text("label"), disabled, fields.rest())


def _condition(value: object) -> str | bool | None:
    if isinstance(value, int | float):
        return bool(value)
    return value if isinstance(value, str) else None


def _write_edge(edge: Edge) -> object:
    details = {"label": edge.label, "disabled": edge.disabled or None, **edge.extra}
    details = {key: value for key, value in details.items() if value is not None}
    return {"condition": edge.condition, **details} if details else edge.condition


def _read_linker(fields: Fields) -> dict[str, ModuleLink]:
    links = fields.mapping("linker") or {}
    return {name: _read_link(name, link, fields.place) for name, link in links.items()}


def _read_link(name: str, value: object, place: str) -> ModuleLink:
    link = Fields.of(value, f'"linker.{name}" of {place}')
    return ModuleLink(link.text("path"), link.text("version"))


def _write_linker(linker: Mapping[str, ModuleLink]) -> dict[str, object] | None:
    written = {name: {"path": link.path, "version": link.version} for name, link in linker.items()}
    cleaned = {name: {key: text for key, text in link.items() if text is not None} for name, link in written.items()}
    return cast("dict[str, object]", cleaned) or None
