"""A registry in memory, a loader that counts, and stand-in packages (adaptors.md §11.2)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from kivuko.adaptors import Layout, Notice, Repo, RepoSettings
from kivuko.engines import HostKey, find_node
from kivuko.errors import AdaptorNotFound, InstallFailed, KivukoError

NAME = "@openfn/language-toy"

Tree = Mapping[str, str]


def toy(version: str = "1.0.0", *, name: str = NAME, package: Mapping[str, object] | None = None) -> dict[str, str]:
    """Files of a small adaptor."""
    description = {"name": name, "version": version, "type": "module", "exports": {".": {"import": "./index.js"}}}
    code = (
        "export const fn = f => s => f(s);\nexport const execute = (...ops) => s => ops.reduce((r, o) => r.then(o), Promise.resolve(s));\n"
    )
    return {"package.json": json.dumps({**description, **(package or {})}), "index.js": code}


def write(folder: Path, files: Tree) -> Path:
    """Writes files below a folder."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@dataclass
class Registry:
    """Stands for npm and its registry: packages by ``name@version``, what is hoisted beside them, answers, and what goes wrong."""

    packages: dict[str, Tree] = field(default_factory=dict)
    beside: dict[str, Mapping[str, Tree]] = field(default_factory=dict)
    latest: dict[str, str] = field(default_factory=dict)
    problem: KivukoError | None = None
    needs_override: str = ""
    asked: list[str] = field(default_factory=list)
    installs: list[dict[str, object]] = field(default_factory=list)
    breaks_after: Callable[[Path], None] | None = None

    def view(self, name: str, wanted: str) -> str:
        """See PackageManager."""
        self.asked.append(f"{name}@{wanted}")
        if self.problem:
            raise self.problem
        if f"{name}@{wanted}" not in self.latest:
            raise AdaptorNotFound(f"The npm registry does not have {name}.")
        return self.latest[f"{name}@{wanted}"]

    def install(self, folder: Path, *, nested: bool = False) -> None:
        """See PackageManager."""
        package = json.loads((folder / "package.json").read_text())
        self.installs.append({**package, "nested": nested})
        if self.problem:
            raise self.problem
        (alias, spec), *_ = package["dependencies"].items()
        wanted = spec.removeprefix("npm:")
        if wanted not in self.packages:
            raise AdaptorNotFound(f"The npm registry does not have {wanted}.")
        if self.needs_override and self.needs_override.rpartition("@")[0] not in package.get("overrides", {}):
            raise AdaptorNotFound(f"The npm registry does not have {self.needs_override}.")
        modules = folder / "node_modules"
        write(modules / alias, self.packages[wanted])
        home = modules / alias / "node_modules" if nested else modules
        for name, files in self.beside.get(wanted, {}).items():
            write(home / name, files)
        if self.breaks_after:
            self.breaks_after(folder)

    def install_locked(self, folder: Path) -> None:
        """There is no bundler here: packages are loaded from their folders."""
        raise InstallFailed("npm has no network in this test.")


@dataclass
class CountingLoader:
    """Answers for the engine with one list of names."""

    names: tuple[str, ...] = ("execute", "fn")
    keys: list[HostKey] = field(default_factory=list)
    problem: KivukoError | None = None

    def warm(self, key: HostKey) -> Mapping[str, tuple[str, ...]]:
        """See ModuleLoader."""
        self.keys.append(key)
        if self.problem:
            raise self.problem
        return {module.specifier: self.names for module in key.modules}


@dataclass
class Clock:
    """Seconds that only move when a test says so."""

    now: float = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def registry() -> Registry:
    return Registry(packages={f"{NAME}@1.0.0": toy(), f"{NAME}@1.2.0": toy("1.2.0")}, latest={f"{NAME}@latest": "1.2.0"})


@pytest.fixture
def loader() -> CountingLoader:
    return CountingLoader()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def notices() -> list[Notice]:
    return []


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "repo")


@pytest.fixture
def repo(layout: Layout, loader: CountingLoader, registry: Registry, clock: Clock) -> Repo:
    return Repo(layout.folder, loader=loader, node=find_node(), npm=registry, settings=RepoSettings(), clock=clock)
