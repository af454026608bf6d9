"""Cold figures: whole commands from a prompt, interleaved with `node -e 0` of the same Node, medians."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from figures import Figure
from installed import repo
from kivuko.engines import find_node
from processes import Cost, MemoryWatch, adopt_orphans, run_once

__all__ = ["measure"]

KIVUKO = str(Path(sys.executable).parent / "kivuko")
EMPTY, IMPORTS = ((sys.executable, "-c", text) for text in ("0", "import kivuko.cli.execute"))
JOB = "fn(state => ({ ...state, data: { greeting: `Hello, ${state.name ?? 'world'}!` } }));\n"
STEPS = {
    "start": "prepare",
    "steps": [
        {"id": "prepare", "adaptor": "@openfn/language-common@3.3.4", "expression": "prepare.js", "next": {"shape": "on_job_success"}},
        {"id": "shape", "adaptor": "@openfn/language-http@7.2.10", "expression": "shape.js", "next": {"check": "on_job_success"}},
        {"id": "check", "adaptor": "@openfn/language-fhir@5.0.15", "expression": "check.js"},
    ],
}
# name, words after `kivuko`, most times `node -e 0`, what is aimed at, most ms of wall clock
COMMANDS: tuple[tuple[str, tuple[str, ...], float, float, float | None], ...] = (
    ("kivuko --version", ("--version",), 3, 3, None),
    ("kivuko compile job.js -a http", ("compile", "job.js", "-a", "http@7.2.10", "-o", "compiled.js"), 5, 4, None),
    ("kivuko job.js -a http", ("job.js", "-a", "http@7.2.10", "-o", "out.json"), 8, 6, 300),
    ("kivuko workflow.json, 3 steps: common, http, fhir", ("workflow.json", "-o", "out.json"), 11, 8, None),
)


def measure(folder: Path, *, quick: bool) -> list[Figure]:
    """Wall and CPU of each command and of `node -e 0`, then the memory of a run's whole process tree."""
    adopt_orphans()
    environment = _prepare(folder)
    node = (str(find_node()), "-e", "0")
    commands = [node, EMPTY, IMPORTS, *((KIVUKO, *words) for _, words, *_ in COMMANDS)]
    costs: list[list[Cost]] = [[] for _ in commands]
    for command in commands:
        run_once(command, folder, environment)
    for _ in range(5 if quick else 21):
        for at, command in enumerate(commands):
            costs[at].append(run_once(command, folder, environment))
    unit = _median(costs[0])
    figures = [Figure("node -e 0, wall", unit.wall_ms, "ms", 1.0), Figure("node -e 0, CPU", unit.cpu_ms, "ms", 1.0)]
    imports = _median(costs[2]).cpu_ms - _median(costs[1]).cpu_ms
    figures.append(Figure("Python's imports for a run, CPU", imports, "ms", imports / unit.cpu_ms, "≤ 80 ms", imports <= 80))
    for (name, _, most, aim, most_ms), spent in zip(COMMANDS, costs[3:], strict=True):
        figures += _rows(name, _median(spent), unit, most, aim, most_ms)
    return figures + _memory(folder, environment)


def _prepare(folder: Path) -> dict[str, str]:
    for name in ("job.js", "prepare.js", "shape.js", "check.js"):
        (folder / name).write_text(JOB)
    (folder / "workflow.json").write_text(json.dumps(STEPS))
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("OPENFN_", "KIVUKO_"))}
    return {**inherited, "OPENFN_REPO_DIR": str(repo()), "NO_COLOR": "1"}


def _median(costs: list[Cost]) -> Cost:
    return Cost(statistics.median(cost.wall_ms for cost in costs), statistics.median(cost.cpu_ms for cost in costs))


def _rows(name: str, spent: Cost, unit: Cost, most: float, aim: float, most_ms: float | None) -> list[Figure]:
    wall, cpu = spent.wall_ms / unit.wall_ms, spent.cpu_ms / unit.cpu_ms
    bound = f"≤ {most:g} × (aim {aim:g})" + (f", ≤ {most_ms:g} ms" if most_ms else "")
    return [
        Figure(f"{name}, wall", spent.wall_ms, "ms", wall, bound, wall <= most and spent.wall_ms <= (most_ms or spent.wall_ms)),
        Figure(f"{name}, CPU of all processes", spent.cpu_ms, "ms", cpu, f"≤ {most:g} × (aim {aim:g})", cpu <= most),
    ]


def _memory(folder: Path, environment: dict[str, str]) -> list[Figure]:
    command = [KIVUKO, "job.js", "-a", "http@7.2.10", "-o", "out.json"]
    peaks = []
    for _ in range(5):
        with (
            subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL) as process,
            MemoryWatch(process.pid) as watch,
        ):
            process.wait()
        peaks.append(watch.together_mb)
    return [
        Figure(
            "kivuko job.js -a http, peak memory of all processes",
            statistics.median(peaks),
            "MB",
            None,
            "≤ 150 MB",
            statistics.median(peaks) <= 150,
        )
    ]
