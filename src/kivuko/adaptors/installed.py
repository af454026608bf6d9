"""Which versions a repo folder lists."""

from __future__ import annotations

from kivuko.adaptors.layout import Layout, read_json
from kivuko.adaptors.semver import is_exact, precedence

__all__ = ["installed_versions"]


def installed_versions(layout: Layout) -> dict[str, tuple[str, ...]]:
    """Name → versions, oldest first, as the repo's package.json lists them. Raises OSError."""
    dependencies = read_json(layout.package_json).get("dependencies")
    found: dict[str, list[str]] = {}
    for alias in dependencies if isinstance(dependencies, dict) else ():
        name, underscore, version = str(alias).rpartition("_")
        if underscore and is_exact(version):
            found.setdefault(name, []).append(version)
    return {name: tuple(sorted(versions, key=precedence)) for name, versions in sorted(found.items())}
