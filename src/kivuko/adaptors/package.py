"""What a package's package.json says about loading it."""

from __future__ import annotations

from pathlib import Path

from kivuko.adaptors.layout import read_json
from kivuko.errors import AdaptorBroken, AdaptorMissing
from kivuko.value import value

__all__ = ["Package", "entry_of", "read_package"]


@value
class Package:
    """A package on disk. ``entry`` is the file that an ES module import of it loads; ``types`` its declarations, or None."""

    folder: Path
    name: str
    version: str
    entry: Path
    types: Path | None


def read_package(folder: Path) -> Package:
    """Reads ``<folder>/package.json``. Raises AdaptorMissing when there is none, AdaptorBroken when it does not name a package."""
    if not (folder / "package.json").is_file():
        reason = "there is no package.json in it" if folder.is_dir() else "the folder does not exist"
        raise AdaptorMissing(f"There is no adaptor at {folder}: {reason}.", fix="Name the folder that holds the adaptor's package.json.")
    content = read_json(folder / "package.json")
    if not content:
        raise AdaptorBroken(f"{folder / 'package.json'} is not a JSON object.", fix="Correct the file, or install the adaptor again.")
    types = content.get("types")
    return Package(
        folder=folder,
        name=str(content.get("name") or folder.name),
        version=str(content.get("version") or "0.0.0"),
        entry=folder / entry_of(content),
        types=folder / types if isinstance(types, str) else None,
    )


def entry_of(content: dict[str, object]) -> str:
    """``exports`` as a text, else ``exports["."]``, its ``import``, ``main``, ``index.js`` (jobs-and-runtime §2.10)."""
    point = content.get("exports")
    if isinstance(point, dict):
        point = point.get(".")
    if isinstance(point, dict):
        point = point.get("import")
    if isinstance(point, dict):
        point = point.get("default")
    if isinstance(point, str):
        return point
    main = content.get("main")
    return main if isinstance(main, str) and main else "index.js"
