"""The floors of the architecture: imports go down only. The contracts themselves stand in ``pyproject.toml``."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from house.sources import PACKAGE, ROOT

CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
LINT = [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache"]


@pytest.mark.parametrize("contract", [contract["id"] for contract in CONTRACTS])
def test_the_contract_is_kept(contract: str) -> None:
    done = subprocess.run([*LINT, "--contract", contract], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_package_stands_on_a_floor() -> None:
    layers = next(contract["layers"] for contract in CONTRACTS if contract["id"] == "floors")
    placed = {name.strip(" ()").removeprefix("kivuko.") for layer in layers for name in layer.split("|")}
    there = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    there |= {path.stem for path in PACKAGE.glob("*.py")} - {"__init__", "__main__"}
    assert there - placed == set()


def test_the_contracts_notice_an_import_that_goes_up(tmp_path: Path) -> None:
    """The linter is asked about a copy of the package in which the lowest floor reaches for the highest."""
    package = tmp_path / "kivuko"
    for name in ("cli", "runtime", "adaptors", "engines", "language", "workflow"):
        (package / name).mkdir(parents=True)
        (package / name / "__init__.py").touch()
    (package / "__init__.py").touch()
    (package / "errors.py").write_text("import kivuko.cli\n")
    settings = (ROOT / "pyproject.toml").read_text("utf-8").splitlines(keepends=True)
    start = settings.index("[tool.importlinter]\n")
    (tmp_path / "pyproject.toml").write_text("".join(settings[start:]))
    done = subprocess.run([*LINT, "--contract", "floors"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "kivuko.errors is not allowed to import kivuko.cli" in done.stdout
