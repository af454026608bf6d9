"""Where things lie in the repo folder (cli.md §4.5): OpenFn's npm folder, and Kivuko's own files under ``.kivuko``."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import cast

from kivuko.value import value

__all__ = ["Layout", "default_folder", "read_json", "write_atomically", "write_json"]


@value
class Layout:
    """The paths of one repo folder. Nothing is made by asking for a path."""

    folder: Path

    @property
    def package_json(self) -> Path:
        """npm's list of what is installed; OpenFn's CLI reads and writes the same file."""
        return self.folder / "package.json"

    @property
    def node_modules(self) -> Path:
        """The folder of installed packages."""
        return self.folder / "node_modules"

    @property
    def own(self) -> Path:
        """Kivuko's own files. All of it can be made again from the installed packages."""
        return self.folder / ".kivuko"

    @property
    def bundles(self) -> Path:
        """Bundles and code caches: the one folder that every host may read."""
        return self.own / "bundles"

    @property
    def acorn(self) -> Path:
        """The parser that words syntax errors, where every host may read it; not there while the store's tools are not installed."""
        return self.bundles / "acorn.js"

    @property
    def tools(self) -> Path:
        """The store's own npm packages: esbuild and acorn."""
        return self.own / "tools"

    @property
    def staging(self) -> Path:
        """Where installs grow until they are complete."""
        return self.own / "staging"

    @property
    def lock(self) -> Path:
        """The file whose lock is held by whoever changes the repo."""
        return self.own / "lock"

    @property
    def answers(self) -> Path:
        """What the registry answered about moving versions, and when."""
        return self.own / "versions.json"

    @property
    def docs(self) -> Path:
        """Documents of operations, one per name and version."""
        return self.folder / "docs"

    @property
    def meta(self) -> Path:
        """Answers of adaptors' ``metadata`` functions."""
        return self.folder / "meta"

    def package(self, name: str, version: str) -> Path:
        """The folder of an installed package, under its alias ``<name>_<version>``."""
        return self.node_modules / f"{name}_{version}"

    def has(self, name: str, version: str) -> bool:
        """Whether a version is there, completely: its folder is only ever put there as a whole."""
        return (self.package(name, version) / "package.json").is_file()

    def record(self, name: str, version: str) -> Path:
        """The file that holds what is known of an installed adaptor."""
        return self.own / "adaptors" / f"{name.replace('/', '+')}@{version}.json"


def default_folder(environment: dict[str, str] | os._Environ[str] = os.environ) -> Path:
    """``OPENFN_REPO_DIR``, else ``~/openfn/repo/cli``, OpenFn's own default."""
    named = environment.get("OPENFN_REPO_DIR")
    return Path(named) if named else Path.home() / "openfn" / "repo" / "cli"


def read_json(path: Path) -> dict[str, object]:
    """The JSON object in a file; empty when the file is missing, broken or holds something else. Raises OSError for other failures."""
    try:
        value = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return {}
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


def write_json(path: Path, value: object) -> None:
    """Writes JSON, indented, in one atomic step; makes the folders above. Raises OSError."""
    write_atomically(path, (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode())


def write_atomically(path: Path, content: bytes) -> None:
    """Writes a file so that readers see the old content or the new, never a part; makes the folders above. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{time.monotonic_ns()}")
    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
