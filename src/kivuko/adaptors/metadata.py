"""Answers of adaptors' ``metadata`` functions, kept in ``<repo>/meta`` (cli.md §3.7). Calling the function is the engine's work."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from kivuko.adaptors.adaptor import Adaptor
from kivuko.adaptors.layout import Layout, read_json, write_json

__all__ = ["known_metadata", "mark_unsupported", "metadata_key", "save_metadata"]


def metadata_key(configuration: Mapping[str, object], adaptor: Adaptor) -> str:
    """sha256, as hex, of the configuration with its keys in order, ``-``, and the adaptor: no answer for one credential serves another."""
    ordered = json.dumps({name: configuration[name] for name in sorted(configuration)}, separators=(",", ":"), ensure_ascii=False)
    name = f"{adaptor.name}@{adaptor.version}" if adaptor.origin == "repo" else f"{adaptor.name}={adaptor.folder}"
    return hashlib.sha256(f"{ordered}-{name}".encode()).hexdigest()


def known_metadata(layout: Layout, key: str) -> Path | None:
    """The file with an earlier answer, or None."""
    file = layout.meta / f"{key}.json"
    return file if read_json(file) else None


def save_metadata(layout: Layout, key: str, answer: Mapping[str, object], now: datetime) -> Path:
    """Keeps an answer, with the time it was ``created``; gives its file. Raises OSError."""
    created = now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    file = layout.meta / f"{key}.json"
    write_json(file, {"created": created, **answer})
    return file


def mark_unsupported(layout: Layout, adaptor: Adaptor, now: datetime) -> None:
    """Remembers in ``unsupported.json`` that this version has no ``metadata`` function. Raises OSError."""
    file = layout.meta / "unsupported.json"
    entry = {
        "lastCheckedVersion": adaptor.version,
        "majorMinor": ".".join(adaptor.version.split(".")[:2]),
        "timestamp": int(now.timestamp() * 1000),
    }
    write_json(file, {**read_json(file), adaptor.name: entry})
