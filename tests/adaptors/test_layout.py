"""Paths and files of a repo folder (cli.md §4.5)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kivuko.adaptors import Layout, default_folder
from kivuko.adaptors.layout import read_json, write_atomically, write_json


def test_packages_lie_under_their_alias(tmp_path: Path) -> None:
    assert Layout(tmp_path).package("@openfn/language-http", "7.2.10") == tmp_path / "node_modules/@openfn/language-http_7.2.10"


def test_the_environment_names_the_repo_folder() -> None:
    assert default_folder({"OPENFN_REPO_DIR": "/srv/repo"}) == Path("/srv/repo")


def test_the_default_is_that_of_openfn() -> None:
    assert default_folder({}) == Path.home() / "openfn/repo/cli"


def test_a_missing_or_broken_file_counts_as_empty(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text('{"a": ')
    (tmp_path / "list.json").write_text("[1]")
    for name in ("missing.json", "broken.json", "list.json", "list.json/below.json"):
        assert read_json(tmp_path / name) == {}


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    write_json(tmp_path / "a/b.json", {"näme": [1, None]})
    assert read_json(tmp_path / "a/b.json") == {"näme": [1, None]}


def test_a_write_that_fails_keeps_the_old_content_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "kept.json"
    write_atomically(file, b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        write_atomically(file, b"new")
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]
