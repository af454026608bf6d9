"""Makes an installed package ready for hosts: bundles, code caches, export names.

Two programs of Node do it, none of which sees a job or a secret. ``bundle.js`` (with esbuild) reads and rewrites the package without
executing it. ``bake.js`` loads the bundle as a host does, with a host's flags, confined, and takes V8's code caches. The same program
loads the package unbundled: the bundle is only used if it exports at least the same names; else hosts load the folder.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path
from typing import TypedDict, cast

from kivuko.adaptors.bakery import Baked, Bakery
from kivuko.adaptors.layout import Layout, write_atomically, write_json
from kivuko.adaptors.npm import PackageManager
from kivuko.adaptors.package import Package, read_package
from kivuko.adaptors.record import RECORD_FORMAT, Record, fingerprint, node_identity
from kivuko.adaptors.toolchain import NodeProgram
from kivuko.errors import AdaptorBroken, AdaptorProblem
from kivuko.value import replace, value

__all__ = ["HOST_FLAGS", "Workshop"]

HOST_FLAGS = ("--no-warnings", "--disable-sigusr1", "--max-semi-space-size=8", "--permission")
"""Flags of hosts (engine.md §6) under which code caches are taken: V8 refuses caches of other flags."""

_OWN = Path(str(files("kivuko.adaptors") / "bundler"))
_LOADER = Path(str(files("kivuko.engines") / "javascript" / "loader.js"))


class _Bundle(TypedDict):
    """Answer of bundle.js."""

    ok: bool
    entry: str
    scripts: list[dict[str, str]]
    readable: list[str]
    reason: str
    addons: bool


@value
class Workshop:
    """The programs and where they work."""

    layout: Layout
    node: NodeProgram
    npm: PackageManager

    def prepare(self, name: str, version: str) -> Record:
        """Bundles and loads an installed package; the caller holds the lock. Raises AdaptorBroken when it does not load in any form."""
        package = read_package(self.layout.package(name, version))
        self.layout.bundles.mkdir(parents=True, exist_ok=True)
        reason, can_retry, addons = "", False, False
        try:
            self.install_tools()
        except AdaptorProblem as problem:
            reason, can_retry = f"the bundler could not be installed: {problem.message}", True
        if not reason:
            bundle = self._bundle(package)
            if bundle["ok"]:
                record, reason = self._bundled(package, bundle)
                if record:
                    return record
            else:
                reason, addons = bundle["reason"], bundle["addons"]
        return self._unbundled(package, reason, can_retry, addons)

    def install_tools(self) -> None:
        """Puts esbuild and acorn, in the locked versions, into the repo, unless they are there. Raises AdaptorProblem, OSError."""
        wanted = (_OWN / "package-lock.json").read_bytes()
        mark = self.layout.tools / "installed-lock.json"
        if mark.is_file() and mark.read_bytes() == wanted:
            return
        shutil.rmtree(self.layout.tools, ignore_errors=True)
        self.layout.tools.mkdir(parents=True)
        for file in ("package.json", "package-lock.json"):
            shutil.copyfile(_OWN / file, self.layout.tools / file)
        self.npm.install_locked(self.layout.tools)
        shutil.copyfile(self.layout.tools / "node_modules" / "acorn" / "dist" / "acorn.js", self.layout.acorn)
        mark.write_bytes(wanted)

    def _bundle(self, package: Package) -> _Bundle:
        question = {
            "root": str(self.layout.node_modules.resolve()),
            "adaptors": [{"name": package.name, "version": package.version, "folder": str(package.folder.resolve())}],
        }
        arguments = [str(_OWN / "bundle.js"), str(self.layout.tools), str(self.layout.bundles)]
        answers = cast("list[_Bundle]", self.node.ask(arguments, question, self.layout.own))
        return answers[0]

    def _bundled(self, package: Package, bundle: _Bundle) -> tuple[Record | None, str]:
        """The record of a bundle that holds what the package holds, or why it does not."""
        manifest = self.layout.bundles / f"{package.name.replace('/', '+')}@{package.version}.json"
        write_json(manifest, {"entry": bundle["entry"], "scripts": bundle["scripts"]})
        readable = tuple(bundle["readable"])
        scripts = [script["file"] for script in bundle["scripts"]]
        with ThreadPoolExecutor(1) as pool:
            whole = pool.submit(self._names, package)
            try:
                made = self._load(package, "bundle", manifest, readable, scripts)
            except AdaptorBroken as problem:
                return None, f"its bundle does not load: {_words(problem)}"
            missing = sorted(set(whole.result()) - set(made.names))
        if missing:
            return None, f"its bundle lacks {', '.join(missing)}"
        self._keep(manifest, bundle, made)
        return self._record(package, "bundle", manifest, made.names, readable=readable), ""

    def _unbundled(self, package: Package, reason: str, can_retry: bool, addons: bool) -> Record:
        readable = self._around(package)
        try:
            made = self._load(package, "folder", package.entry, readable, addons=addons)
        except AdaptorBroken as problem:
            message = f"{package.name}@{package.version} is installed but does not load: {_words(problem)}"
            raise AdaptorBroken(message, details=reason) from problem
        record = self._record(package, "folder", package.entry, made.names, readable=readable)
        return replace(record, addons=addons, unbundled=reason, can_retry=can_retry)

    def _load(self, package: Package, form: str, file: Path, readable: Sequence[str], scripts: Sequence[str] = (), **how: bool) -> Baked:
        """The package, loaded in this form. Raises AdaptorBroken."""
        bakery = Bakery(self.node.binary, HOST_FLAGS, (str(_OWN / "bake.js"), str(_LOADER)))
        question = {"specifier": package.name, "key": f"{package.name}@{package.version}", "form": form, "file": str(file.resolve())}
        allowed = [str(self.layout.bundles.resolve()), str(_OWN), str(_LOADER.parent), *readable]
        return bakery.bake(question, allowed, scripts=scripts, **how)

    def _names(self, package: Package) -> tuple[str, ...]:
        """What the package exports when it is loaded from its folder; nothing when it does not load."""
        try:
            return self._load(package, "folder", package.entry, self._around(package)).names
        except AdaptorBroken:
            return ()  # its bundle may still load, and is judged by itself

    def _keep(self, manifest: Path, bundle: _Bundle, baked: Baked) -> None:
        """Writes what baking gave. A cache that is there stays: a package cannot change those of third-party code that others share."""
        for file, data in baked.caches.items():
            cache = self.layout.bundles / f"{file.removesuffix('.js')}.{baked.cache_key}.cache"
            if not cache.exists():
                write_atomically(cache, data)
        content = {"entry": bundle["entry"], "scripts": bundle["scripts"], "late": baked.late}
        write_atomically(manifest, json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"))

    def _around(self, package: Package) -> tuple[str, ...]:
        """What a host must read to load the package from its folder: it, and the packages beside it."""
        return str(package.folder.resolve()), str(self.layout.node_modules.resolve())

    def _record(self, package: Package, form: str, file: Path, names: Sequence[str], *, readable: Sequence[str]) -> Record:
        return Record(
            format=RECORD_FORMAT,
            name=package.name,
            version=package.version,
            fingerprint=fingerprint(package.folder),
            node=node_identity(self.node.binary),
            form=form,
            file=str(file.resolve()),
            exports=tuple(names),
            readable=tuple(readable),
        )


def _words(problem: AdaptorBroken) -> str:
    return f"{problem.message} {problem.details}".strip()
