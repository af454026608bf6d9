"""Installed adaptors made readable for hosts that are another user: a server's own files are its owner's only."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from kivuko.adaptors import Layout
from kivuko.engines import ModuleFiles

__all__ = ["Sharing"]

_LOOK, _ENTER = 0o044, 0o011


class Sharing:
    """Opens what hosts read in a folder of adaptors, and nothing else. What it contains came from npm and is no secret."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._open: dict[Path, int] = {}

    def bundles(self) -> None:
        """Opens the folder of bundles, which is made if it is missing. Raises OSError."""
        folder = self._layout.bundles
        folder.mkdir(parents=True, exist_ok=True)
        self._open_folders(folder)
        for path in folder.iterdir():
            _allow(path, _LOOK)

    def adaptor(self, files: ModuleFiles) -> None:
        """Opens what this adaptor needs. Raises OSError."""
        self.bundles()
        for text in files.readable:
            folder = Path(text)
            changed = folder.stat().st_mtime_ns
            if self._open.get(folder) == changed or not folder.is_relative_to(self._layout.folder.resolve()):
                continue
            self._open_folders(folder)
            for path in _below(folder):
                _allow(path, _LOOK | _ENTER if path.is_dir() else _LOOK)
            self._open[folder] = changed

    def _open_folders(self, folder: Path) -> None:
        for each in (self._layout.folder, *folder.parents, folder):
            if each.is_relative_to(self._layout.folder.resolve()) or each == self._layout.folder:
                _allow(each, _LOOK | _ENTER if each == folder else _ENTER)


def _below(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        for name in (*folders, *names):
            yield Path(place, name)


def _allow(path: Path, bits: int) -> None:
    try:
        mode = path.stat().st_mode
        if mode & bits != bits and not path.is_symlink():
            path.chmod(mode & 0o7777 | bits)
    except FileNotFoundError:
        return  # another installation, which is not complete yet, or a link to nowhere
