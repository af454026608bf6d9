"""The credential form that an adaptor asks for: its ``configuration-schema.json`` (adaptors.md §3)."""

from __future__ import annotations

from pathlib import Path

from kivuko.adaptors.layout import read_json

__all__ = ["credential_schema", "oauth_schema"]


def credential_schema(folder: Path) -> dict[str, object] | None:
    """The JSON Schema (draft-07) in an adaptor's folder; None when the adaptor needs no credential (common has no such file)."""
    return read_json(folder / "configuration-schema.json") or None


def oauth_schema(folder: Path) -> dict[str, object] | None:
    """The schema of the OAuth credential, where it is another one (salesforce), or the only one marked ``$comment: OAuth2``; else None."""
    own = read_json(folder / "oauth-configuration-schema.json")
    if own:
        return own
    only = credential_schema(folder)
    return only if only and only.get("$comment") == "OAuth2" else None
