"""Figures in the docs that the code sets: they change together."""

from __future__ import annotations

from house.sources import ROOT
from kivuko.engines import Limits
from kivuko.language.source import MAX_NESTING, MAX_SOURCE_BYTES
from kivuko.runtime.settings import DEFAULT_TIMEOUT_MS, MOST_RUNS, AttemptSettings


def test_the_limits_are_those_of_the_code() -> None:
    text = (ROOT / "docs" / "reference" / "limits.md").read_text("utf-8")
    rows = {cells[1].strip(): cells[2].strip() for line in text.splitlines() if (cells := line.split("|"))[1:]}
    settings = AttemptSettings()
    assert rows["time of a step"] == f"{DEFAULT_TIMEOUT_MS:,} ms".replace(",", " ")
    assert rows["JavaScript memory"] == f"{settings.memory_mb} MB" == f"{Limits().memory_mb} MB"
    assert rows["state after a step"] == f"{settings.state_mb} MB of JSON"
    assert rows["steps of one execution"] == f"{MOST_RUNS:,}".replace(",", " ")
    assert rows["a job's text"] == f"{MAX_SOURCE_BYTES // 2**20} MB, brackets {MAX_NESTING} levels deep"
