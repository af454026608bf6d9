"""A tenth of the chaos that was promised; `make chaos` plays all of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from chaos.islands import impossible_here
from chaos.scenarios import SCENARIOS
from records.own_postgresql import MISSING, is_installed

RUN = Path(__file__).with_name("run.py")


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.parametrize("name", SCENARIOS)
def test_nothing_is_lost_and_nothing_finished_twice(name: str) -> None:
    _needs(is_installed(), MISSING)
    if SCENARIOS[name].by_itself:
        _needs(not impossible_here(), f"namespaces cannot be made here: {impossible_here()}")
    command = [sys.executable, str(RUN), name, "--tenth", "--seed", "4"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _needs(there: bool, why: str) -> None:
    if not there:
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
