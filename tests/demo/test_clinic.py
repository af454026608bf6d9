"""`make demo`: five forms, four patients, one mail, one mended message, told by a real server."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from systems.adaptor_repo import adaptor_repo

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.network, pytest.mark.slow, pytest.mark.xdist_group("demo")]


@pytest.fixture(scope="module")
def shown() -> str:
    """What the demo prints where nobody looks at it on a terminal."""
    adaptor_repo("http")
    done = subprocess.run([sys.executable, "-m", "demo.clinic"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    return done.stdout


def test_every_form_is_accepted_and_four_become_patients(shown: str) -> None:
    assert shown.count("202: on disk, goes to Register patient") == 5
    assert "4 patients created, 1 failed" in shown


def test_the_administrator_is_told_in_a_mail_with_the_authors_line(shown: str) -> None:
    assert re.search(r"to +amina@clinic\.example", shown)
    assert "In line 4: if (!form.surname) throw" in shown
    assert re.search(r"inspect & take action: http://127\.0\.0\.1:\d+/projects/", shown)


def test_the_mended_message_runs_again_once_ten_seconds_have_passed(shown: str) -> None:
    before, after = shown.split("The inbox, afterwards")
    assert "Register patient (failure - run 1)" in before
    assert "a message runs through a job once in 10 s" in before
    assert "Register patient (success - run 2)" in after
    assert "5 patients, none twice" in after


def test_no_line_is_of_overwhelming_length(shown: str) -> None:
    assert "\x1b" not in shown
    assert max(map(len, shown.splitlines())) <= 150
