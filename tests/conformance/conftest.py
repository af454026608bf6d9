"""The command under the name that the suite reads, and folders of adaptors."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from systems.adaptor_repo import kivuko_command, repo_folder


@pytest.fixture(scope="session")
def openfn(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A link named ``openfn`` to the installed command: a few cases read the program's name."""
    link = tmp_path_factory.mktemp("link") / "openfn"
    os.symlink(kivuko_command(), link)
    return str(link)


@pytest.fixture(scope="session")
def repo() -> Path:
    """A folder with exactly the adaptors that the suite's own runner installs: cases look at what is there and what is not."""
    folder = repo_folder().with_name("conformance-repo")
    wanted = ("common@3.3.4", "http@7.2.10")
    if not all((folder / "node_modules/@openfn" / f"language-{one.replace('@', '_')}").is_dir() for one in wanted):
        words = [word for one in wanted for word in ("-a", one)]
        subprocess.run([kivuko_command(), "repo", "install", "--repo-dir", str(folder), *words], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="session")
def empty_repo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of adaptors with nothing in it, for cases that need none."""
    return tmp_path_factory.mktemp("empty-repo")


@pytest.fixture(scope="session")
def growing_repo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that cases may install into."""
    return tmp_path_factory.mktemp("growing-repo")
