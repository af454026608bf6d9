"""The installed command, called in a folder of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

KIVUKO = str(Path(sys.executable).parent / "kivuko")


@dataclass
class Done:
    """How a call ended."""

    exit: int
    out: str
    err: str


@dataclass
class CommandLine:
    """``kivuko`` in ``folder``, with a clean environment and an empty folder of adaptors."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __call__(self, *words: str, stdin: str = "", env: Mapping[str, str] | None = None) -> Done:
        """Call it and wait for the end."""
        done = subprocess.run(
            [KIVUKO, *words],
            cwd=self.folder,
            env={**self.environment, **(env or {})},
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def start(self, *words: str, **options: Any) -> subprocess.Popen[str]:
        """Start it and go on; it has a session of its own."""
        return subprocess.Popen(
            [KIVUKO, *words], cwd=self.folder, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
        )

    def write(self, name: str, content: object) -> Path:
        """Make a file; anything but a text is written as JSON."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return path

    def read(self, name: str) -> Any:
        """The JSON in a file."""
        return json.loads((self.folder / name).read_text(encoding="utf-8"))


@pytest.fixture
def kivuko(tmp_path: Path) -> CommandLine:
    """The command in a fresh folder."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR", "COVERAGE_PROCESS_START")}
    folder = tmp_path / "work"
    folder.mkdir()
    return CommandLine(folder, {**kept, "OPENFN_REPO_DIR": str(tmp_path / "repo")})
