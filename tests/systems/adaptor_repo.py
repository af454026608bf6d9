"""One folder of installed adaptors that all tests share: filled once from npm, used offline afterwards."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

__all__ = ["VERSIONS", "adaptor_repo", "kivuko_command", "repo_folder"]

VERSIONS = {
    "common": "3.3.4",
    "http": "7.2.10",
    "fhir": "5.0.15",
    "openmrs": "5.5.0",
    "collections": "0.8.0",
    "mysql": "4.1.3",
    "mssql": "7.1.3",
    "mongodb": "2.2.3",
}
# The newest releases ask for a language-common that the registry does not have (adaptors.md §11.1).
_OVERRIDES = json.dumps({"@openfn/language-common": VERSIONS["common"]})
_ROOT = Path(__file__).resolve().parents[2]


def repo_folder() -> Path:
    """Where the adaptors are: ``KIVUKO_TEST_REPO``, by default the project's own cache."""
    return Path(os.environ.get("KIVUKO_TEST_REPO") or _ROOT / ".cache" / "repo")


def adaptor_repo(*names: str) -> Path:
    """The shared folder, with the named adaptors in it, by their short names. Raises RuntimeError with Kivuko's words."""
    folder = repo_folder()
    missing = [name for name in names if not (folder / "node_modules" / "@openfn" / f"language-{name}_{VERSIONS[name]}").is_dir()]
    if missing:
        wanted = [word for name in missing for word in ("-a", f"{name}@{VERSIONS[name]}")]
        command = [kivuko_command(), "repo", "install", "--repo-dir", str(folder), *wanted]
        environment = {**os.environ, "KIVUKO_NPM_OVERRIDES": _OVERRIDES}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        if done.returncode:
            raise RuntimeError(f"kivuko repo install {' '.join(missing)} failed:\n{done.stdout}\n{done.stderr}")
    return folder


def kivuko_command() -> str:
    """The installed command that belongs to this Python."""
    return str(Path(sys.executable).parent / "kivuko")
