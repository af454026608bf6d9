"""A Node process that executes what the compiler makes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from kivuko.engines.settings import find_node
from kivuko.language import AdaptorNames, CompiledJob, compile_job, compile_module, compile_portable

FN = "function fn(f) { return s => f(s) }\n"


class NodeProcess:
    """Answers one question after another. Answers are dicts; ``error`` holds name, message, line and column of what was thrown."""

    def __init__(self) -> None:
        command = [str(find_node()), "--no-warnings", "--experimental-vm-modules", str(Path(__file__).with_name("harness.cjs"))]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, task: str, **question: object) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"task": task, **question}).encode() + b"\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer

    def run(self, source: str, *, adaptors: Sequence[AdaptorNames] = (), modules: str = "{}", state: object = None) -> dict[str, Any]:
        """Compiles and executes a job. ``modules`` is JavaScript for an object of modules; ``log(value)`` is known to all."""
        return self.execute(compile_job(source, adaptors), modules=modules, state=state)

    def run_plain(self, source: str, *, modules: str = "{}", state: object = None) -> dict[str, Any]:
        """Executes a module as it stands."""
        return self.execute(compile_module(source), modules=modules, state=state)

    def run_portable(
        self, source: str, *, adaptors: Sequence[AdaptorNames] = (), modules: str = "{}", state: object = None
    ) -> dict[str, Any]:
        """Executes the portable form as the ES module that it is."""
        code = compile_portable(source, adaptors).code
        return self.ask("runModule", code=code, modules=modules, state=state if state is not None else {})

    def execute(self, job: CompiledJob, *, modules: str = "{}", state: object = None) -> dict[str, Any]:
        return self.ask("run", script=job.script, modules=modules, state=state if state is not None else {})

    def refusal(self, job: CompiledJob) -> str | None:
        """V8's message if it does not accept a compiled job."""
        error = self.ask("check", script=job.script, body=job.body).get("error")
        return None if error is None else str(error["message"])

    def close(self) -> None:
        with self.process:
            assert self.process.stdin is not None
            self.process.stdin.close()


@pytest.fixture(scope="session")
def node() -> Iterator[NodeProcess]:
    """One process for all tests that execute scripts."""
    process = NodeProcess()
    yield process
    process.close()
