"""``kivuko adaptor test``: loads a JavaScript adaptor as a job would, looks at its credential's schema, and runs its own tests."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from kivuko.adaptors import Specifier
from kivuko.adaptors.package import read_package
from kivuko.cli.adaptor_schema import schema_problems
from kivuko.cli.adaptors_in_use import AdaptorsInUse
from kivuko.cli.call import Call
from kivuko.cli.commands import Command
from kivuko.cli.own_engine import open_engine
from kivuko.cli.progress import Progress
from kivuko.cli.shared import JSON, REPO_DIR
from kivuko.engines import find_node
from kivuko.errors import AdaptorProblem

__all__ = ["COMMAND", "test_adaptor"]

_TEST_FILES = ("test/**/*.test.*js", "test/**/*Test.js", "tests/**/*.test.*js", "src/**/*.test.*js")


def test_adaptor(call: Call) -> int:
    """Tell what is wrong; 0 when the adaptor loads, its schema is sound and its tests pass, else 1.

    Raises AdaptorProblem when there is no adaptor.
    """
    folder = (call.folder / (call.arguments.words[0] if call.arguments.words else ".")).resolve()
    package = read_package(folder)
    call.log.success(f"{package.name} {package.version}")
    problems = [*_loading(call, folder), *_schema(call, folder)]
    for problem in problems:
        call.log.error(problem)
    files = sorted({file for pattern in _TEST_FILES for file in folder.glob(pattern) if "node_modules" not in file.parts})
    passed = _run_tests(call, folder, files) if files else None
    if passed is None:
        call.log.warn("There are no tests; put some in test/, as files that end in .test.js")
    call.result({"name": package.name, "version": package.version, "problems": problems, "tests_passed": passed})
    return 1 if problems or passed is False else 0


def _loading(call: Call, folder: Path) -> list[str]:
    with open_engine(call) as engine, Progress(call) as progress:
        adaptors = AdaptorsInUse.of(call, engine, progress)
        try:
            adaptor = adaptors.repo.resolve(Specifier("", None, str(folder)), install=False, progress=adaptors.hear)
        except AdaptorProblem as problem:
            return [f"It does not load: {problem.message} {problem.details}".strip()]
    if not adaptor.exports:
        return ["It exports nothing: a job could not call anything"]
    call.log.success(f"Loads; jobs can use {', '.join(adaptor.exports)}")
    return []


def _schema(call: Call, folder: Path) -> list[str]:
    file = folder / "configuration-schema.json"
    if not file.is_file():
        call.log.warn("There is no configuration-schema.json: the form of its credential cannot be made")
        return []
    problems = [f"{file.name}: {problem}" for problem in schema_problems(file)]
    if not problems:
        call.log.success(f"{file.name} is sound")
    return problems


def _run_tests(call: Call, folder: Path, files: list[Path]) -> bool:
    """Run the tests with Node's own test runner; its report goes where the log goes."""
    environment = {**call.environment, "PATH": os.pathsep.join([str(find_node().parent), call.environment.get("PATH", os.defpath)])}
    command = [str(find_node()), "--test", *(str(file.relative_to(folder)) for file in files)]
    done = subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    call.log.write("print", "CLI", (done.stdout.decode("utf-8", "replace"),), done.stdout.decode("utf-8", "replace").rstrip())
    (call.log.success if done.returncode == 0 else call.log.error)(f"Tests {'passed' if done.returncode == 0 else 'failed'}")
    return done.returncode == 0


COMMAND = Command(
    name="adaptor-test",
    run=test_adaptor,
    options=(REPO_DIR, JSON),
    takes=1,
    about="Loads an adaptor from its folder (the working folder), checks the form of its credential and runs its tests with "
    "Node's test runner.",
    examples=("adaptor test", "adaptor test ./my-system"),
    log_level="info",
)
