"""The credential form that an adaptor asks for: its ``configuration-schema.json`` (adaptors.md §3)."""

from __future__ import annotations

from pathlib import Path

from kivuko.adaptors.layout import read_json

__all__ = ["credential_schema"]


def credential_schema(folder: Path) -> dict[str, object] | None:
    """The JSON Schema (draft-07) in an adaptor's folder; None when the adaptor needs no credential (common has no such file)."""
    return read_json(folder / "configuration-schema.json") or None
