"""Search on FHIR resources: the parameters that real jobs use, and the searchset Bundle with its pages (HL7 FHIR R4 §3.1.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

__all__ = ["bundle_of", "matches"]

Resource = dict[str, Any]
Parameters = Sequence[tuple[str, str]]


def matches(resource: Resource, parameters: Parameters) -> bool:
    """Whether a resource meets all search parameters. Control parameters (``_count`` …) always hold; unknown names never do."""
    return all(_meets(resource, name, value) for name, value in parameters)


def _meets(resource: Resource, name: str, value: str) -> bool:
    if name == "_id":
        return resource["id"] in value.split(",")
    if name.startswith("_"):
        return True
    if name == "identifier":
        return any(_token(identifier, value) for identifier in resource.get("identifier", ()))
    if name in ("name", "family"):
        return any(value.lower() in _name_text(part, name) for part in resource.get("name", ()))
    if name in ("subject", "patient"):
        target = (resource.get("subject") or resource.get("patient") or {}).get("reference", "")
        return target in (value, f"Patient/{value}")
    if name == "code":
        return any(_token({"system": coding.get("system"), "value": coding.get("code")}, value) for coding in resource["code"]["coding"])
    if name in ("birthdate", "date"):
        return _in_range(resource.get("birthDate") or resource.get("effectiveDateTime") or "", value)
    return bool(resource.get(name) == value)


def _token(identifier: Resource, value: str) -> bool:
    system, bar, code = value.rpartition("|")
    return identifier.get("value") == code and (not bar or identifier.get("system") == system)


def _name_text(name: Resource, parameter: str) -> str:
    given = name.get("given", []) if parameter == "name" else []
    return " ".join([name.get("family", ""), *given]).lower()


def _in_range(date: str, value: str) -> bool:
    prefix, bound = (value[:2], value[2:]) if value[:2].isalpha() else ("eq", value)
    tests = {"eq": date[: len(bound)] == bound, "ge": date >= bound, "gt": date > bound, "le": date <= bound, "lt": date < bound}
    return bool(date) and tests[prefix]


def bundle_of(found: Sequence[Resource], address: str, parameters: Parameters, size: int) -> Resource:
    """One page of a searchset; ``link`` holds ``self`` and, when more follows, ``next``."""
    asked = dict(parameters)
    bundle: Resource = {"resourceType": "Bundle", "type": "searchset", "total": len(found)}
    if asked.get("_summary") == "count":
        return bundle
    start = int(asked.get("_getpagesoffset", 0))
    links = [("self", asked)]
    if start + size < len(found):
        links.append(("next", {**asked, "_count": str(size), "_getpagesoffset": str(start + size)}))
    bundle["link"] = [{"relation": relation, "url": f"{address}?{urlencode(query)}"} for relation, query in links]
    page = found[start : start + size]
    bundle["entry"] = [{"fullUrl": f"{address}/{one['id']}", "resource": one, "search": {"mode": "match"}} for one in page]
    return bundle
