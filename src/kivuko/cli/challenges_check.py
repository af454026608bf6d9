"""``kivuko challenges check``: runs your solutions with the docs' own command lines and says what is still missing."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path

from kivuko.cli.arguments import Option
from kivuko.cli.call import Call
from kivuko.cli.challenges.api import DEFAULT_PORT, ChallengeApi, answers_at
from kivuko.cli.challenges.tasks import TASKS, Evidence, Task
from kivuko.cli.commands import Command
from kivuko.errors import InputError, UsageError

__all__ = ["COMMAND", "check"]

_SECONDS = 120


def check(call: Call) -> int:
    """Grade the chosen challenges; 0 when all of them are solved, else 1."""
    tasks = _chosen(call.arguments.words)
    folder = call.folder / (call.arguments.text("folder") or ".")
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}", fix="Name the folder of your solutions with --folder.")
    given = call.arguments.number("port")
    port = DEFAULT_PORT if given is None else int(given)
    with nullcontext() if port and answers_at(port) else ChallengeApi(port) as api:
        address = api.url if api is not None else f"http://localhost:{port}"
        results = [(task, _grade(call, task, folder, address)) for task in tasks]
    solved = sum(not hints for _, hints in results)
    call.result({"solved": solved, "of": len(results), "challenges": [_report(task, hints) for task, hints in results]})
    call.log.always(f"{solved}/{len(results)}")
    return 0 if solved == len(results) else 1


def _chosen(words: Iterable[str]) -> list[Task]:
    """The tasks that words such as ``3``, ``1..6`` or ``2-4`` mean; all when there are none."""
    wanted: set[int] = set()
    for word in words:
        found = re.fullmatch(r"([1-6])(?:(?:\.\.|-)([1-6]))?", word)
        if not found:
            raise UsageError(f"There is no challenge {word}", fix="They are numbered 1 to 6; 2..4 means three of them.")
        wanted |= set(range(int(found[1]), int(found[2] or found[1]) + 1))
    return [task for task in TASKS if not wanted or task.number in wanted]


def _grade(call: Call, task: Task, folder: Path, address: str) -> list[str]:
    file = next((folder / name for name in task.files if (folder / name).is_file()), None)
    if file is None:
        call.log.warn(f"{task.number}. {task.title}: not there yet")
        hints = [f"write {task.files[0]} in {folder}, for the adaptor {task.adaptor}: {task.goal}"]
        if task.with_address:
            hints.append(f"its state has the address of the data: state.configuration.baseUrl is {address}")
    else:
        hints = _judge(_solve(call, task, file, address), task)
        (call.log.warn if hints else call.log.success)(f"{task.number}. {task.title}: {'not yet' if hints else 'solved'} ({file.name})")
    for hint in hints:
        call.log.always(f"   {hint}")
    return hints


def _solve(call: Call, task: Task, file: Path, address: str) -> Evidence:
    state = {"configuration": {"baseUrl": address}, "data": {}} if task.with_address else {"data": {}}
    with tempfile.TemporaryDirectory(prefix="kivuko-challenge-") as made:
        output = Path(made) / "output.json"
        words = ["execute", str(file), "-a", task.adaptor, "-S", json.dumps(state), "-o", str(output)]
        environment = {**os.environ, **call.environment, "IGNORE_DOT_ENV": "1", "NO_COLOR": "1"}
        try:
            done = subprocess.run(
                [sys.executable, "-m", "kivuko.cli", *words], env=environment, capture_output=True, timeout=_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            return Evidence(1, f"It did not end within {_SECONDS} s.", None)
        return Evidence(done.returncode, (done.stdout + done.stderr).decode("utf-8", "replace"), _read(output))


def _read(output: Path) -> dict[str, object] | None:
    try:
        found = json.loads(output.read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _judge(seen: Evidence, task: Task) -> list[str]:
    if seen.exit == 0:
        return task.grade(seen)
    said = [line for line in seen.log.splitlines() if "✘" in line][:4]
    return ["it does not run to its end:", *(said or seen.log.splitlines()[-4:])]


def _report(task: Task, hints: list[str]) -> dict[str, object]:
    return {"number": task.number, "title": task.title, "solved": not hints, "hints": hints}


COMMAND = Command(
    name="challenges-check",
    run=check,
    options=(
        Option("folder", "Where your solutions are (the working folder)", ("f",), "text"),
        Option("port", f"Port of the challenges' data ({DEFAULT_PORT})", ("p",), "number"),
        Option("json", "Print one JSON document on standard output, and log lines on standard error"),
    ),
    takes=None,
    about="Runs hello.js, getUsers.js, covid.js, comments.js, error.js and getPosts.js of a folder and says what each still lacks. "
    "The data is served meanwhile, unless `challenges serve` does it already.",
    examples=("challenges check", "challenges check 2", "challenges check 1..6 --folder my-solutions"),
)
