"""Installs one package version so that it is there completely or not at all.

The reference runs ``npm install`` in the repo itself; a stop in the middle then leaves a torn tree, and hoisting may move packages
of adaptors that were already there. Here npm works in a staging folder, one per package. Everything it brought besides the package is
moved *into* the package's own ``node_modules``, where Node's resolution finds it first, and the whole is renamed to
``node_modules/<name>_<version>``: one atomic step. The alias is then added to ``package.json``, so that OpenFn's CLI and npm itself see
an ordinary repo. Cost: packages are not shared between adaptors on disk (about 25 MB each); in hosts they are (bundles know their content).
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path

from kivuko.adaptors.layout import Layout, read_json, write_json
from kivuko.adaptors.npm import PackageManager
from kivuko.adaptors.settings import OVERRIDES_VARIABLE
from kivuko.errors import AdaptorNotFound, AdaptorProblem, InstallFailed, RegistryUnreachable

__all__ = ["add_package", "remove_package"]


def add_package(layout: Layout, npm: PackageManager, name: str, version: str, overrides: Mapping[str, object]) -> None:
    """Puts one exact version into the repo; the caller holds the lock. Raises AdaptorProblem or OSError; then nothing was added."""
    if not layout.has(name, version):
        _fetch(layout, npm, name, version, overrides)
    _list_package(layout, name, version)


def remove_package(layout: Layout, name: str, version: str) -> None:
    """Takes one version out of the repo; the caller holds the lock. Raises OSError."""
    content = read_json(layout.package_json)
    dependencies = content.get("dependencies")
    if isinstance(dependencies, dict) and dependencies.pop(f"{name}_{version}", None):
        write_json(layout.package_json, content)
    layout.record(name, version).unlink(missing_ok=True)
    if layout.has(name, version):
        gone = layout.staging / uuid.uuid4().hex
        gone.parent.mkdir(parents=True, exist_ok=True)
        os.rename(layout.package(name, version), gone)
        shutil.rmtree(gone)


def _fetch(layout: Layout, npm: PackageManager, name: str, version: str, overrides: Mapping[str, object]) -> None:
    try:
        _stage(layout, npm, name, version, {})
    except (AdaptorNotFound, InstallFailed, RegistryUnreachable) as problem:
        if _is_about(problem, name, version):
            raise AdaptorNotFound(f"The npm registry does not have {name}@{version}.", details=problem.details) from problem
        if not overrides:
            raise _explained(problem, name, version) from problem
        _stage(layout, npm, name, version, overrides)


def _stage(layout: Layout, npm: PackageManager, name: str, version: str, overrides: Mapping[str, object]) -> None:
    staging = layout.staging / uuid.uuid4().hex
    alias = f"{name}_{version}"
    package = {"name": "kivuko-staging", "private": True, "dependencies": {alias: f"npm:{name}@{version}"}}
    try:
        write_json(staging / "package.json", {**package, "overrides": dict(overrides)} if overrides else package)
        npm.install(staging)
        if not _gather(staging / "node_modules", alias):
            shutil.rmtree(staging / "node_modules")
            npm.install(staging, nested=True)
            _gather(staging / "node_modules", alias)
        _check(staging / "node_modules" / alias, name, version)
        _publish(staging / "node_modules" / alias, layout.package(name, version))
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _gather(modules: Path, alias: str) -> bool:
    """Moves what npm laid beside the package into it. False when a name is taken there, which would change what others resolve."""
    package = modules / alias
    inner = package / "node_modules"
    beside = [entry for entry in _packages(modules) if entry != package]
    if any((inner / entry.relative_to(modules)).exists() for entry in beside):
        return False
    for entry in beside:
        target = inner / entry.relative_to(modules)
        target.parent.mkdir(parents=True, exist_ok=True)
        os.rename(entry, target)
    return True


def _packages(modules: Path) -> list[Path]:
    found: list[Path] = []
    for entry in modules.iterdir():
        if entry.name.startswith("@"):
            found.extend(entry.iterdir())
        elif not entry.name.startswith("."):
            found.append(entry)
    return found


def _check(package: Path, name: str, version: str) -> None:
    content = read_json(package / "package.json")
    if content.get("name") != name or content.get("version") != version:
        raise InstallFailed(f"npm installed {content.get('name')}@{content.get('version')} instead of {name}@{version}.")


def _publish(staged: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():  # a torn folder that some other tool left: it has no package.json, or we would not be here
        shutil.rmtree(target)
    os.rename(staged, target)
    # npm's own cache of the tree; it would now be wrong, and npm makes it again.
    (target.parents[1 if target.parent.name.startswith("@") else 0] / ".package-lock.json").unlink(missing_ok=True)


def _list_package(layout: Layout, name: str, version: str) -> None:
    content = read_json(layout.package_json)
    dependencies = content.get("dependencies")
    known = dict(dependencies) if isinstance(dependencies, dict) else {}
    alias = f"{name}_{version}"
    if alias in known:
        return
    known[alias] = f"npm:{name}@^{version}"
    frame = {"name": "openfn-repo", "private": True, "version": "1.0.0", **content}
    write_json(layout.package_json, {**frame, "dependencies": dict(sorted(known.items()))})


def _is_about(problem: AdaptorProblem, name: str, version: str) -> bool:
    return isinstance(problem, AdaptorNotFound) and any(
        text in problem.message for text in (f"{name}@{version}.", f"{name}_{version}", f"have {name}.")
    )


def _explained(problem: AdaptorProblem, name: str, version: str) -> AdaptorProblem:
    if not isinstance(problem, AdaptorNotFound):
        return type(problem)(f"{name}@{version} was not installed. {problem.message}", fix=problem.fix, details=problem.details)
    missing = problem.message.removeprefix("The npm registry does not have ").rstrip(".")
    example = json.dumps({missing.rpartition("@")[0] or missing: "<a version that exists>"})
    return InstallFailed(
        f"{name}@{version} was not installed: it asks for {missing}, which the npm registry does not have.",
        fix=f"Name a version to take instead, with npm's overrides: {OVERRIDES_VARIABLE}='{example}'.",
        details=problem.details,
    )
