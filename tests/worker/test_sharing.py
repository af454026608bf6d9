"""Adaptors of a server whose files are its owner's only are opened to hosts that are another user."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from kivuko.adaptors import Layout
from kivuko.engines import ModuleFiles
from kivuko.worker.sharing import Sharing


@pytest.fixture
def layout(tmp_path: Path) -> Iterator[Layout]:
    """A repo folder as a server fills it: everything is its owner's only."""
    before = os.umask(0o077)
    try:
        layout = Layout(tmp_path / "adaptors")
        for path in (layout.bundles / "a.js", layout.package("x", "1.0.0") / "lib" / "index.js", layout.tools / "t.js"):
            path.parent.mkdir(parents=True)
            path.write_text("")
        (layout.folder / "package.json").write_text("{}")
        yield layout
    finally:
        os.umask(before)


def mode(path: Path) -> int:
    """What everybody may do with it."""
    return path.stat().st_mode & 0o777


def test_bundles_are_opened_and_the_way_to_them_and_nothing_else(layout: Layout) -> None:
    Sharing(layout).bundles()
    assert (mode(layout.folder), mode(layout.own), mode(layout.bundles), mode(layout.bundles / "a.js")) == (0o711, 0o711, 0o755, 0o644)
    assert (mode(layout.tools), mode(layout.node_modules), mode(layout.folder / "package.json")) == (0o700, 0o700, 0o600)
    assert mode(layout.folder.parent) == 0o700


def test_the_folder_of_bundles_is_made(tmp_path: Path) -> None:
    Sharing(Layout(tmp_path / "new")).bundles()
    assert mode(tmp_path / "new" / ".kivuko" / "bundles") == 0o755


def test_what_is_bundled_later_is_opened_when_it_is_needed(layout: Layout) -> None:
    sharing = Sharing(layout)
    sharing.bundles()
    (layout.bundles / "b.js").write_text("")
    sharing.adaptor(ModuleFiles("x", "x@1.0.0", "bundle", str(layout.bundles / "b.json")))
    assert mode(layout.bundles / "b.js") == 0o644
    assert mode(layout.node_modules) == 0o700


def test_an_adaptor_that_is_read_from_its_folder_is_opened_with_all_that_it_holds(layout: Layout) -> None:
    package = layout.package("x", "1.0.0")
    (package / "broken").symlink_to("nowhere")
    files = ModuleFiles("x", "x@1.0.0", "folder", str(package / "lib" / "index.js"), (str(package), str(layout.node_modules)))
    sharing = Sharing(layout)
    sharing.adaptor(files)
    assert (mode(package), mode(package / "lib"), mode(package / "lib" / "index.js"), mode(layout.node_modules)) == (
        0o755,
        0o755,
        0o644,
        0o755,
    )
    later = layout.package("y", "1.0.0") / "index.js"
    later.parent.mkdir()
    later.write_text("")
    sharing.adaptor(files)
    assert mode(later) == 0o644


def test_what_lies_elsewhere_is_left_alone(layout: Layout, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "f").write_text("")
    Sharing(layout).adaptor(ModuleFiles("x", "x@1.0.0", "folder", "f", (str(tmp_path / "elsewhere"),)))
    assert (mode(tmp_path / "elsewhere"), mode(tmp_path / "elsewhere" / "f")) == (0o700, 0o600)
