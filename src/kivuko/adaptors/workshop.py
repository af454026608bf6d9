"""Makes an installed package ready for hosts: bundles, code caches, export names.

Three programs of Node do it, none of which sees a job or a secret. ``bundle.js`` (with esbuild) reads and rewrites the package without
executing it. ``bake.js`` loads the bundle as a host does, with a host's flags, and takes V8's code caches. The same program
loads the package unbundled: the bundle is only used if it exports at least the same names; else hosts load the folder.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path
from typing import TypedDict, cast

from kivuko.adaptors.layout import Layout, write_json
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


class _Baked(TypedDict, total=False):
    """Answer of bake.js."""

    ok: bool
    names: list[str]
    reason: str


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
        with ThreadPoolExecutor(2) as pool:
            whole = pool.submit(self._load, package, "folder", package.entry, self._around(package))
            made = pool.submit(self._load, package, "bundle", manifest, readable)
        missing = sorted(set(whole.result().get("names", ())) - set(made.result().get("names", ())))
        if not made.result()["ok"]:
            return None, f"its bundle does not load: {made.result()['reason']}"
        if missing:
            return None, f"its bundle lacks {', '.join(missing)}"
        return self._record(package, "bundle", manifest, made.result()["names"], readable=readable), ""

    def _unbundled(self, package: Package, reason: str, can_retry: bool, addons: bool) -> Record:
        readable = self._around(package)
        answer = self._load(package, "folder", package.entry, readable, addons=addons)
        if not answer["ok"]:
            raise AdaptorBroken(f"{package.name}@{package.version} is installed but does not load: {answer['reason']}", details=reason)
        record = self._record(package, "folder", package.entry, answer["names"], readable=readable)
        return replace(record, addons=addons, unbundled=reason, can_retry=can_retry)

    def _load(self, package: Package, form: str, file: Path, readable: Sequence[str], *, addons: bool = False) -> _Baked:
        allowed = [str(self.layout.bundles.resolve()), str(_OWN), str(_LOADER.parent), *readable]
        flags = [*HOST_FLAGS, *(f"--allow-fs-read={folder}" for folder in allowed), *(["--allow-addons"] if addons else [])]
        if form == "bundle":
            flags.append(f"--allow-fs-write={self.layout.bundles.resolve()}")
        key = f"{package.name}@{package.version}"
        question = {"specifier": package.name, "key": key, "form": form, "file": str(file.resolve()), "write": form == "bundle"}
        try:
            return cast("_Baked", self.node.ask([*flags, str(_OWN / "bake.js"), str(_LOADER)], question, self.layout.bundles))
        except AdaptorProblem as problem:
            return {"ok": False, "reason": f"{problem.message} {problem.details}".strip()}

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
