"""What a command imports before it works: every run pays for it. Modules are counted here, milliseconds in the benchmarks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

IMPORTED = """
import sys
before = set(sys.modules)
from kivuko.cli import main
sys.argv = ["kivuko", *sys.argv[1:]]
main()
print("\\n".join(sorted(set(sys.modules) - before)), file=sys.stderr)
"""
SLOW = {
    "argparse",
    "asyncio",
    "concurrent",
    "difflib",
    "email",
    "http",
    "logging",
    "multiprocessing",
    "ruamel",
    "ssl",
    "unittest",
    "uuid",
    "xml",
}
RUNNING = {"kivuko.engines", "kivuko.language", "kivuko.runtime", "tree_sitter"}


def imported(folder: Path, *words: str) -> set[str]:
    """The modules that a call of the command line imports, ``kivuko`` itself in two parts and everything else by its top package."""
    done = subprocess.run([sys.executable, "-c", IMPORTED, *words], cwd=folder, capture_output=True, text=True, check=False)
    names = [name.split(".") for name in done.stderr.splitlines()]
    return {".".join(parts[: 3 if parts[0] == "kivuko" else 1]) for parts in names}


def test_the_version_is_told_without_importing_anything_else(tmp_path: Path) -> None:
    assert {name for name in imported(tmp_path, "--version") if name.startswith("kivuko")} == {"kivuko", "kivuko.cli", "kivuko.cli.entry"}


def test_a_run_imports_nothing_that_is_slow(tmp_path: Path) -> None:
    (tmp_path / "workflow.json").write_text('{"steps": [{"id": "a", "next": "b"}]}')
    found = imported(tmp_path, "workflow.json")
    assert "kivuko.workflow" in {".".join(name.split(".")[:2]) for name in found}
    assert found & SLOW == set()


@pytest.mark.parametrize("words", [("repo", "list"), ("adaptor", "new", "x"), ("challenges", "serve", "--help")], ids=" ".join)
def test_a_command_that_runs_no_job_imports_neither_engine_nor_compiler(words: tuple[str, ...], tmp_path: Path) -> None:
    found = imported(tmp_path, *words, "--json")
    assert "kivuko.cli.dispatch" in found
    values = {"kivuko.engines", "kivuko.engines.run", "kivuko.engines.settings"}  # that a repo folder is described with
    assert {".".join(name.split(".")[:2]) for name in found - values} & RUNNING == set()


def test_importing_the_library_imports_nothing_of_it() -> None:
    asked = "import sys, kivuko; print([name for name in sys.modules if name.startswith('kivuko.')])"
    assert subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout.strip() == "[]"
