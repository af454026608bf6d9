"""Run a job file with the installed `kivuko` command, as an implementer does, and read what came out."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .adaptor_repo import VERSIONS, adaptor_repo, kivuko_command

__all__ = ["Outcome", "RunJob", "plain", "run_job", "run_job_with"]

_KEPT_OF_RESPONSE = ("url", "method", "statusCode", "statusMessage", "query")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended: exit code, final state, and the log as people read it."""

    exit_code: int
    state: Any
    log: str


RunJob = Callable[..., Outcome]


def run_job(job: Path, folder: Path, state: Mapping[str, Any], *flags: str) -> Outcome:
    """Run a job with the adaptor that its folder is named after. ``folder`` takes the state and the output."""
    adaptors = ("common", "collections") if job.parent.name == "collections" else (job.parent.name,)
    return run_job_with(adaptors, job, folder, state, *flags)


def run_job_with(adaptors: Sequence[str], job: Path, folder: Path, state: Mapping[str, Any], *flags: str) -> Outcome:
    """Run a job with named adaptors (short names of VERSIONS)."""
    repo = adaptor_repo(*adaptors)
    given, result = folder / "state.json", folder / "output.json"
    given.write_text(json.dumps(state), encoding="utf-8")
    named = [word for adaptor in adaptors for word in ("-a", f"{adaptor}@{VERSIONS[adaptor]}")]
    command = [kivuko_command(), str(job), *named, "--repo-dir", str(repo)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OPENFN_", "KIVUKO_"))}
    done = subprocess.run(
        [*command, "-s", str(given), "-o", str(result), *flags],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**environment, "NO_COLOR": "1"},
    )
    final = json.loads(result.read_text(encoding="utf-8")) if result.exists() else None
    return Outcome(done.returncode, final, done.stdout + done.stderr)


def plain(state: Any, *addresses: str) -> Any:
    """A state without what differs from run to run: loopback addresses become ``{url}``, of ``response`` no times and headers stay."""
    text = json.dumps(state)
    for address in addresses:
        text = text.replace(address, "{url}")
    value = json.loads(text)
    if isinstance(value, dict) and isinstance(value.get("response"), dict):
        value["response"] = {key: part for key, part in value["response"].items() if key in _KEPT_OF_RESPONSE}
    return value
