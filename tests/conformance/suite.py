"""The given suite as Python: its cases, its runners, and the command under test."""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

__all__ = ["HERE", "cases", "installs", "needs_npm", "run_cli_case", "run_runtime_case", "runner", "uses_missing_command"]

HERE = Path(__file__).parent
Case = dict[str, Any]

MISSING_COMMANDS = {"apollo", "checkout", "collections", "deploy", "fetch", "merge", "project", "projects", "pull"}
"""Commands of OpenFn's that Kivuko does not have yet."""


def cases(file: str) -> list[Case]:
    """The cases of one file of the suite."""
    return [json.loads(line) for line in (HERE / file).read_text(encoding="utf-8").split("\n") if line.strip()]


def runner(name: str) -> ModuleType:
    """One of the suite's scripts as a module."""
    if str(HERE) not in sys.path:
        sys.path.append(str(HERE))  # run_cli.py imports the mock platform that lies beside it
    found = sys.modules.get(f"conformance_{name}")
    if found is None:
        spec = importlib.util.spec_from_file_location(f"conformance_{name}", HERE / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        found = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = found
        spec.loader.exec_module(found)
    return found


def uses_missing_command(case: Case) -> bool:
    """Whether a case of cli.jsonl calls a command that Kivuko does not have yet."""
    calls = [step["argv"] for step in case.get("steps", []) if "argv" in step] or [case.get("argv", [])]
    return any(words and words[0] in MISSING_COMMANDS for words in calls)


def needs_npm(case: Case) -> bool:
    """Whether a case needs adaptors from npm: installed by itself, or in the shared folder."""
    text = json.dumps(case)
    return "network" in case.get("tags", []) or bool((case.get("options") or {}).get("network")) or "@3.3.4" in text or "@7.2.10" in text


def installs(case: Case) -> bool:
    """Whether a case of cli.jsonl installs packages."""
    return "network" in case.get("tags", [])


def run_cli_case(case: Case, command: str, repo: Path) -> list[str]:
    """What a case of cli.jsonl finds wrong."""
    problems, log = runner("run_cli").run_case(case, [command], str(repo), False, False)
    return [*problems, log] if problems else []


def run_runtime_case(case: Case, command: str, repo: Path) -> list[str]:
    """What a case of runtime.jsonl or improvements.jsonl finds wrong."""
    suite = runner("run_runtime")
    folder, code, log, text = suite.execute(case, argparse.Namespace(cli=command, repo=str(repo)))
    problems = suite.check(case, folder, code, log, text)
    return [*problems, log] if problems else []
