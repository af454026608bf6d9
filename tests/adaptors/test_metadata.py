"""Kept answers of metadata(), and credential schemas."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from kivuko.adaptors import Adaptor, Layout, Specifier
from kivuko.adaptors.credential_schema import credential_schema
from kivuko.adaptors.metadata import known_metadata, mark_unsupported, metadata_key, save_metadata
from kivuko.engines import ModuleFiles

from .conftest import NAME, write

NOW = datetime(2026, 11, 21, 15, 0, tzinfo=UTC)


def adaptor(version: str = "1.2.3", *, folder: str = "/x", origin: str = "repo") -> Adaptor:
    return Adaptor(Specifier(NAME), NAME, version, Path(folder), (), ModuleFiles(NAME, "key", "folder", "index.js"), origin)


def test_the_key_does_not_depend_on_the_order_of_the_configuration() -> None:
    assert metadata_key({"a": 1, "b": "ü"}, adaptor()) == metadata_key({"b": "ü", "a": 1}, adaptor())
    assert len(metadata_key({}, adaptor())) == 64


def test_the_key_depends_on_credential_adaptor_and_version() -> None:
    others = [
        metadata_key({"a": 2}, adaptor()),
        metadata_key({"a": 1}, adaptor("2.0.0")),
        metadata_key({"a": 1}, adaptor(origin="path")),
        metadata_key({"a": 1}, adaptor(origin="path", folder="/y")),
    ]
    assert len({metadata_key({"a": 1}, adaptor()), *others}) == 5


def test_an_answer_is_kept_with_its_time(layout: Layout) -> None:
    assert known_metadata(layout, "k") is None
    file = save_metadata(layout, "k", {"name": "root", "children": []}, NOW)
    assert json.loads(file.read_text()) == {"created": "2026-11-21T15:00:00.000Z", "name": "root", "children": []}
    assert known_metadata(layout, "k") == file == layout.meta / "k.json"


def test_adaptors_without_metadata_are_remembered_side_by_side(layout: Layout) -> None:
    write(layout.meta, {"unsupported.json": '{"other": {"lastCheckedVersion": "1.0.0"}}'})
    mark_unsupported(layout, adaptor("3.3.4"), NOW)
    content = json.loads((layout.meta / "unsupported.json").read_text())
    assert content["other"] == {"lastCheckedVersion": "1.0.0"}
    assert content[NAME] == {"lastCheckedVersion": "3.3.4", "majorMinor": "3.3", "timestamp": 1_795_273_200_000}


def test_the_credential_form_of_an_adaptor(tmp_path: Path) -> None:
    write(tmp_path, {"configuration-schema.json": '{"type": "object", "properties": {"baseUrl": {}}}'})
    assert credential_schema(tmp_path) == {"type": "object", "properties": {"baseUrl": {}}}


def test_an_adaptor_without_credential(tmp_path: Path) -> None:
    assert credential_schema(tmp_path) is None
