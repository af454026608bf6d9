"""`make demo`: it runs by itself, tells what happened and ends with exit code 0."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from systems.adaptor_repo import adaptor_repo

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.network, pytest.mark.xdist_group("demo")]


@pytest.fixture(scope="module")
def shown() -> str:
    """What the demo prints where nobody looks at it on a terminal."""
    adaptor_repo("http", "common")
    done = subprocess.run([sys.executable, "-m", "demo.registrations"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_every_step_is_shown_with_its_result_and_duration(shown: str) -> None:
    for step, text in (
        ("fetch", "50 registrations fetched"),
        ("map", "50 registrations mapped"),
        ("upload", "42 patients stored, 8 refused"),
    ):
        assert re.search(rf"✔ {step} +{text}.* \d+(\.\d+)?m?s +demo/registrations/jobs/{step}\.js", shown)


def test_every_refusal_is_shown_with_its_reason(shown: str) -> None:
    for form, reason in {
        "R-0006": "The family name is missing",
        "R-0011": "There is no day 1994-02-31",
        "R-0017": "'B' is no gender that FHIR knows",
        "R-0023": "Card NYO-4250 belongs to Lydia Ochieng already",
        "R-0029": "2091-07-14 has not come yet",
        "R-0034": "The family name is missing",
        "R-0038": "The card number is missing",
        "R-0045": "Card KIB-8474 belongs to Simon Kariuki already",
    }.items():
        assert re.search(rf"{form} .*{re.escape(reason)}", shown)


def test_the_final_state_is_kept_to_look_at(shown: str) -> None:
    result = json.loads((ROOT / "demo" / "output" / "result.json").read_text(encoding="utf-8"))
    assert (len(result["stored"]), len(result["refused"])) == (42, 8)
    assert "demo/output/result.json" in shown


def test_no_colour_and_no_line_of_overwhelming_length_goes_into_a_file(shown: str) -> None:
    assert "\x1b" not in shown
    assert max(map(len, shown.splitlines())) <= 110


def test_without_the_command_one_sentence_says_what_to_do(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.symlink_to(sys.executable)
    done = subprocess.run(
        [python, "-m", "demo.registrations"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PATH": str(tmp_path)},
    )
    assert done.returncode == 1
    assert "The command `kivuko` is not installed. Run `make setup`, then `make demo`." in done.stdout
