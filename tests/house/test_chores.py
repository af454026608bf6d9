"""The words of the Makefile, and what it says on a machine that lacks something."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from house.sources import ROOT

WORDS = {"setup", "demo", "test", "chaos", "lint", "format", "bench", "docs", "clean", "help"}
MAKE = shutil.which("make") or pytest.skip("make is not installed", allow_module_level=True)


def make(folder: Path, *words: str, path: str = os.defpath) -> subprocess.CompletedProcess[str]:
    """Run make as a person does, without what another make handed down."""
    environment = {"PATH": path, "HOME": str(folder)}
    return subprocess.run([MAKE, *words], cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_make_alone_lists_every_chore() -> None:
    assert set(re.findall(r"^  make (\w+)", make(ROOT).stdout, re.MULTILINE)) == WORDS


@pytest.mark.parametrize("word", sorted(WORDS - {"help", "clean"}))
def test_every_chore_sets_up_what_it_needs(word: str, tmp_path: Path) -> None:
    checkout(tmp_path)
    planned = make(tmp_path, "--dry-run", word).stdout
    assert planned.index("venv .tools") < planned.index("sync --quiet --locked")


@pytest.mark.parametrize("word", ["demo", "setup"])
def test_setting_up_compiles_once_what_no_start_may_keep(word: str, tmp_path: Path) -> None:
    """Where PYTHONDONTWRITEBYTECODE is set, every start would compile Django and Kivuko anew."""
    checkout(tmp_path)
    planned = make(tmp_path, "--dry-run", word).stdout
    assert planned.index("sync --quiet --locked") < planned.index("compileall -q src") < planned.index("touch .venv/")
    assert "UV_COMPILE_BYTECODE=1" in make(tmp_path, "--eval", "what-uv-sees:; @env", "what-uv-sees").stdout.splitlines()


def test_a_machine_without_venv_is_told_in_one_sentence_what_to_install(tmp_path: Path) -> None:
    checkout(tmp_path)
    python = tmp_path / "bin" / "python3"
    python.parent.mkdir()
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)
    done = make(tmp_path, "demo", path=f"{python.parent}:/usr/bin:/bin")
    assert done.returncode != 0
    assert "apt-get install -y python3 python3-venv" in done.stderr.splitlines()[0]
    assert not (tmp_path / ".tools").exists()


def test_ci_lints_and_tests_with_the_same_words() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert re.findall(r"^make (lint|test)\b", script.read_text("utf-8"), re.MULTILINE) == ["lint", "test"]


def checkout(folder: Path) -> None:
    """A checkout in which nothing has been made yet."""
    for name in ("Makefile", "pyproject.toml", "uv.lock"):
        shutil.copy(ROOT / name, folder / name)
