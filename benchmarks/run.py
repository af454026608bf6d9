"""Measure speed and memory: `make bench`, or `make bench ARGS=--quick` for a shorter look.

Each part runs in a process of its own, so that the memory of one does not show in the next. The figures depend on the machine; ratios to
`node -e 0` and CPU milliseconds hold better than seconds. Exit code 0 whatever the figures are: a benchmark measures and judges nothing.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from figures import Figure, show, to_json
from installed import install_all

__all__ = ["PARTS", "main"]


# name: what it is about, module, function of (folder for files, quick=…)
PARTS = {
    "cold": ("Cold: commands from the prompt, adaptors installed", "cold", "measure"),
    "compile": ("The job language", "compiling", "measure"),
    "warm": ("Warm engine, one host, isolation `project`", "warm", "measure_rate"),
    "memory": ("Memory of a host", "warm", "measure_memory"),
    "acknowledge": ("Durable acknowledgement of messages", "acknowledgements", "measure"),
    "acknowledge-http": ("Durable acknowledgement by `kivuko serve`", "serving", "measure_acknowledgement"),
    "webhook": ("From a webhook to its finished run", "serving", "measure_webhook"),
    "attempts-http": ("Sustained, received over HTTP", "serving", "measure_attempts"),
    "claim": ("A claim over 200 000 Attempts in 2 000 workflows", "claiming", "measure"),
    "start": ("The first answer of `kivuko serve`", "serving", "measure_start"),
    "idle": ("Memory of everything, idle", "serving", "measure_idle"),
    "large": ("Large messages and runs", "serving", "measure_large"),
    "attempts": ("One-job attempts from message to end, everything stored", "attempts", "measure"),
    "large-state": ("A large state", "large_state", "measure"),
    "sockets": ("Open sockets", "warm", "measure_sockets"),
    "soak": ("Soak: memory over many Runs", "warm", "measure_soak"),
}


def main() -> int:
    """Measure the parts that were asked for and print them."""
    parser = argparse.ArgumentParser(description="Measure Kivuko's speed and memory.")
    parser.add_argument("parts", nargs="*", help=f"what to measure: {', '.join(PARTS)}; all by default")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions: a look, not a record")
    parser.add_argument("--json", metavar="FILE", help="write the figures to this file, too")
    parser.add_argument("--inner", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if unknown := [name for name in options.parts if name not in PARTS]:
        parser.error(f"there is no part {', '.join(unknown)}; the parts are {', '.join(PARTS)}")
    if options.inner:
        return _measure_here(options.parts[0], quick=options.quick)
    return _measure_all(options.parts or list(PARTS), quick=options.quick, file=options.json)


def _measure_here(name: str, *, quick: bool) -> int:
    _, module, function = PARTS[name]
    with tempfile.TemporaryDirectory() as folder:
        figures = getattr(importlib.import_module(module), function)(Path(folder), quick=quick)
    print(to_json(figures))
    return 0


def _measure_all(names: list[str], *, quick: bool, file: str | None) -> int:
    day, load = time.strftime("%Y-%m-%d %H:%M"), os.getloadavg()[0]
    kept: dict[str, object] = {"day": day, "cores": len(os.sched_getaffinity(0)), "load": load, "quick": quick}
    print(f"{day}, {platform.machine()}, {kept['cores']} cores, load {load:.1f}, {'quick' if quick else 'full'}")
    install_all()
    failed = 0
    for name in names:
        command = [sys.executable, __file__, name, "--inner", *(["--quick"] if quick else [])]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            print(f"\n{PARTS[name][0]}\n  could not be measured; its error stands above")
            failed = 1
            continue
        rows = json.loads(done.stdout)
        show(PARTS[name][0], (Figure(**row) for row in rows))
        kept[name] = rows
    if file:
        Path(file).write_text(json.dumps(kept, indent=1), encoding="utf-8")
    return failed


if __name__ == "__main__":
    sys.exit(main())
