"""Versions of the parts."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from kivuko import __version__
from kivuko.cli.log import Log
from kivuko.cli.versions import log_versions, node_version, part_versions
from kivuko.engines import find_node


def test_the_wheels_node_tells_its_version_without_being_started() -> None:
    assert node_version(find_node()).split(".")[0].isdigit()
    assert part_versions(engine=True) == {**part_versions(), "runtime": __version__, "compiler": __version__}


def test_another_node_is_asked(tmp_path: Path) -> None:
    node = tmp_path / "node"
    node.write_text("#!/bin/sh\necho v99.1.2\n")
    node.chmod(0o755)
    assert node_version(node) == "99.1.2"


@pytest.mark.parametrize("text", ["#!/bin/sh\nexit 1\n", "no program"])
def test_a_program_that_does_not_answer_is_unknown(tmp_path: Path, text: str) -> None:
    node = tmp_path / "node"
    node.write_text(text)
    node.chmod(0o755)
    assert node_version(node) == "unknown"
    assert node_version(tmp_path / "none") == "unknown"


def test_a_missing_node_is_told_in_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIVUKO_NODE", "/nowhere")
    assert part_versions()["node.js"] == "missing"


def test_the_block_aligns_its_columns() -> None:
    stream = io.StringIO()
    log_versions(Log(stream=stream), {"node.js": "1", "@openfn/language-http": "7.2.10"})
    assert stream.getvalue() == "[CLI] ♦ Versions:\n         ▸ node.js                  1\n         ▸ @openfn/language-http    7.2.10\n"
