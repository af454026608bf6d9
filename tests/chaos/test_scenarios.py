"""A tenth of the chaos that was promised; `make chaos` plays all of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from chaos.islands import impossible_here
from chaos.scenarios import SCENARIOS
from chaos.scenarios.clock_jumps import clock_jumps
from records.own_postgresql import MISSING, is_installed

RUN = Path(__file__).with_name("run.py")


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.parametrize("name", SCENARIOS)
def test_nothing_is_lost_and_nothing_finished_twice(name: str) -> None:
    _needs(is_installed(), MISSING)
    if SCENARIOS[name].by_itself and (why := impossible_here()):
        pytest.skip(f"namespaces cannot be made on this machine: {why}")
    if SCENARIOS[name].play is clock_jumps:
        _needs(shutil.which("cc") is not None, "no C compiler, which moves clocks: apt-get install -y gcc libc6-dev")
    command = [sys.executable, str(RUN), name, "--tenth", "--seed", "4"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _needs(there: bool, why: str) -> None:
    if not there:
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
