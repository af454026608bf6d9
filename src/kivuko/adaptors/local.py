"""Adaptors in folders of their own: ``name=path`` and the adaptors monorepo. They are neither copied nor bundled."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

from kivuko.adaptors.adaptor import Adaptor
from kivuko.adaptors.layout import Layout, read_json, write_json
from kivuko.adaptors.package import Package, read_package
from kivuko.adaptors.specifier import Specifier
from kivuko.engines.run import HostKey, ModuleFiles
from kivuko.errors import AdaptorBroken, EngineError

__all__ = ["ModuleLoader", "local_adaptor", "state_of_files"]

_SKIPPED = frozenset({"node_modules", ".git"})


class ModuleLoader(Protocol):
    """Loads modules in a host and tells their export names; ``kivuko.engines.Engine`` is one."""

    def warm(self, key: HostKey) -> Mapping[str, tuple[str, ...]]:
        """Specifier → export names of every module of the key. Raises AdaptorBroken, EngineError."""


def local_adaptor(layout: Layout, loader: ModuleLoader, specifier: Specifier, folder: Path, *, origin: str) -> Adaptor:
    """The adaptor in a folder. Its export names are read again when any file in it changed. Raises AdaptorMissing, AdaptorBroken."""
    package = read_package(folder.expanduser().absolute())
    if not package.entry.is_file():
        raise AdaptorBroken(f"The adaptor at {folder} has no {package.entry}.", fix="Build the adaptor, or correct `exports` or `main`.")
    name = specifier.name or package.name
    changed = state_of_files(package.folder)
    files = ModuleFiles(name, f"{name}={package.folder}#{changed}", "folder", str(package.entry), _readable(package))
    names = _remembered(layout, package, changed)
    if names is None:
        names = _read_names(loader, files, folder)
        _remember(layout, package, changed, names)
    return Adaptor(specifier, name, package.version, package.folder, names, files, origin)


def state_of_files(folder: Path) -> str:
    """Names, times and sizes of the files as one text: it changes whenever one is edited, added, removed, renamed or put back.

    ``node_modules`` and ``.git`` do not count. An edit that keeps both the size and the time of a file is not seen. Raises OSError.
    """
    found = [(os.path.relpath(entry.path, folder), entry.stat()) for entry in _files(folder)]
    lines = sorted(f"{name}\0{status.st_mtime_ns}\0{status.st_size}" for name, status in found)
    text = "\0\0".join(lines).encode("utf-8", "surrogateescape")
    return f"{zlib.crc32(text):08x}{zlib.adler32(text):08x}.{len(lines):x}"  # against accidents; hashlib would cost every start 3 ms


def _files(folder: Path) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in _SKIPPED:
                    yield from _files(Path(entry.path))
            elif entry.is_file():
                yield entry


def _readable(package: Package) -> tuple[str, ...]:
    """The folder, every ``node_modules`` in or above it, and where links among its packages lead (pnpm)."""
    found = [package.folder, package.folder.resolve()]
    for start in (package.folder, package.folder.resolve()):
        found.extend(modules for parent in (start, *start.parents) if (modules := parent / "node_modules").is_dir())
    for modules in [folder for folder in found if folder.name == "node_modules"][:2]:
        for entry in [*modules.iterdir(), *modules.glob("@*/*")]:
            if entry.is_symlink():
                target = entry.resolve()
                found.append(_enclosing_modules(target) or target)
    return tuple(dict.fromkeys(str(folder) for folder in found))


def _enclosing_modules(folder: Path) -> Path | None:
    above = [parent for parent in folder.parents if parent.name == "node_modules"]
    return above[-1] if above else None


def _read_names(loader: ModuleLoader, files: ModuleFiles, folder: Path) -> tuple[str, ...]:
    try:
        return tuple(loader.warm(HostKey("adaptors", "", (files,)))[files.specifier])
    except (AdaptorBroken, EngineError) as error:
        message = f"The adaptor at {folder} does not load: {error.message}"
        raise AdaptorBroken(message, fix="Correct the adaptor.", details=error.details) from error


def _cache_file(layout: Layout, package: Package) -> Path:
    return layout.own / "folders" / f"{package.folder.name}-{zlib.crc32(str(package.folder).encode()):08x}.json"


def _remembered(layout: Layout, package: Package, changed: str) -> tuple[str, ...] | None:
    content = read_json(_cache_file(layout, package))
    names = content.get("exports")
    if content.get("folder") != str(package.folder) or not isinstance(names, list):
        return None
    if content.get("changed") != changed or content.get("entry") != str(package.entry):
        return None
    return tuple(map(str, names))


def _remember(layout: Layout, package: Package, changed: str, names: tuple[str, ...]) -> None:
    content = {"folder": str(package.folder), "entry": str(package.entry), "changed": changed, "exports": list(names)}
    try:
        write_json(_cache_file(layout, package), content)
    except OSError:
        return  # A repo folder that cannot be written costs a load per start, nothing else.
