"""What is known of an installed adaptor, one small file each, so that using it again starts no process and asks no network."""

from __future__ import annotations

from pathlib import Path

from kivuko.adaptors.adaptor import Adaptor
from kivuko.adaptors.layout import Layout, read_json, write_json
from kivuko.adaptors.specifier import Specifier
from kivuko.engines.run import ModuleFiles
from kivuko.value import fields, value

__all__ = ["RECORD_FORMAT", "Record", "fingerprint", "load_record", "node_identity", "save_record"]

RECORD_FORMAT = 6
"""Raised when bundles or records change their shape: older ones are then made again."""


@value
class Record:
    """One installed version.

    ``fingerprint`` is that of the package when it was read, ``node`` the identity of the Node whose code caches were taken.

    ``file``, ``readable`` and ``addons`` are those of ModuleFiles. ``unbundled`` says why the package is loaded from its folder; it is
    empty for bundles. ``can_retry`` marks a reason that may be gone next time (the bundler could not be installed).
    """

    format: int
    name: str
    version: str
    fingerprint: str
    node: str
    form: str
    file: str
    exports: tuple[str, ...]
    readable: tuple[str, ...] = ()
    addons: bool = False
    unbundled: str = ""
    can_retry: bool = False

    def adaptor(self, specifier: Specifier, folder: Path) -> Adaptor:
        """The adaptor as callers get it."""
        files = ModuleFiles(
            specifier=self.name,
            key=f"{self.name}@{self.version}",
            form="bundle" if self.form == "bundle" else "folder",
            file=self.file,
            readable=self.readable,
            addons=self.addons,
        )
        return Adaptor(specifier, self.name, self.version, folder, self.exports, files)


def fingerprint(folder: Path) -> str:
    """Changes when the package is installed anew; empty when it is not there."""
    try:
        status = (folder / "package.json").stat()
    except (FileNotFoundError, NotADirectoryError):
        return ""
    return f"{status.st_mtime_ns}:{status.st_size}:{status.st_ino}"


def node_identity(node: Path) -> str:
    """Changes when a Node binary does; code caches are only good for the Node that made them. Raises OSError."""
    status = node.stat()
    return f"{node}:{status.st_size}:{status.st_mtime_ns}"


def load_record(layout: Layout, name: str, version: str, node: Path) -> Record | None:
    """The record of a package that is still the same, with files that are still there; else None. Raises OSError."""
    content = read_json(layout.record(name, version))
    if content.get("format") != RECORD_FORMAT or content.get("node") != node_identity(node):
        return None
    if content.get("fingerprint") != fingerprint(layout.package(name, version)):
        return None
    lists = {key: tuple(map(str, value)) for key in ("exports", "readable") if isinstance(value := content.get(key), list)}
    record = Record(**{**content, **lists})  # type: ignore[arg-type]  # written by save_record, of the same format
    return record if Path(record.file).is_file() else None


def save_record(layout: Layout, record: Record) -> None:
    """Writes the record in one atomic step. Raises OSError."""
    write_json(layout.record(record.name, record.version), {name: getattr(record, name) for name in fields(record)})
