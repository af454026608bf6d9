"""A state of 50 MB through a step, from the prompt: what the host and Python hold at most."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from figures import Figure
from installed import repo
from processes import MemoryWatch

__all__ = ["measure"]

JOB = "fn(state => ({ ...state, count: state.data.length }));\n"


def measure(folder: Path, *, quick: bool) -> list[Figure]:
    """Peaks of both processes, and how long it took."""
    size_mb = 10 if quick else 50
    (folder / "large.js").write_text(JOB)
    row = {"id": 1, "name": "Amina Otieno", "village": "Kibiri", "visits": [{"day": "2026-01-05", "kg": 61.5, "note": "wéll"}] * 5}
    text = json.dumps(row, ensure_ascii=False)
    times = size_mb * 1_000_000 // len(text.encode())
    (folder / "large.json").write_text('{"data":[' + ",".join([text] * times) + "]}", encoding="utf-8")
    command = [str(Path(sys.executable).parent / "kivuko"), "large.js", "-a", "common@3.3.4", "-s", "large.json", "-o", "large-out.json"]
    environment = {**os.environ, "OPENFN_REPO_DIR": str(repo())}
    began = time.perf_counter()
    with (
        subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as process,
        MemoryWatch(process.pid) as watch,
    ):
        output, _ = process.communicate()
    seconds = time.perf_counter() - began
    result = folder / "large-out.json"
    if process.returncode or f'"count": {times}' not in result.read_text(encoding="utf-8")[-100:]:
        raise RuntimeError(f"the state of {size_mb} MB did not come through:\n{output}")
    host, python = watch.peaks_mb.get("node", 0.0), watch.peaks_mb.get("python", 0.0)
    return [
        Figure(f"a state of {size_mb} MB through a step: host, peak", host, "MB RSS", None, "≤ 600 MB", host <= 600),
        Figure(f"a state of {size_mb} MB through a step: Python, peak", python, "MB RSS", None, "≤ 200 MB", python <= 200),
        Figure(f"a state of {size_mb} MB through a step: the whole command", seconds, "s"),
    ]
