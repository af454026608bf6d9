"""The golden file of language-common: every entry through the real adaptor in the real host."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from systems.job_run import run_job_with

pytestmark = pytest.mark.network

HERE = Path(__file__).parent
GOLDEN = {entry.pop("name"): entry for entry in json.loads((HERE / "language-common.json").read_text(encoding="utf-8"))}
# The state of all path entries (adaptors.md §4.7); of `configuration` a job sees what it was given, so it travels inside the state.
STATE = {
    "configuration": {},
    "references": [{"id": "r0"}, {"id": "r1"}],
    "x": 5,
    "data": {
        "id": 7,
        "zero": 0,
        "n": None,
        "arr": [1, 2, 3],
        "objs": [{"id": "a", "v": 1}, {"id": "b", "v": 2}],
        "form": {"case": {"@case_id": "c9", "@date-modified": "d"}, "@xmlns": "ns"},
        "body": {"Submission Date": "2020", "market_details/vendor": [{"q": 1}, {"q": 2}], "a.b": "dot"},
        "": "empty",
        "deep": {"l": [{"m": [{"n": 1}, {"n": 2}]}, {"m": [{"n": 3}]}]},
    },
}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The result of every entry, by name: ``{v}``, ``{undefined: true}`` or ``{err}``."""
    state = {"names": list(GOLDEN), "st": STATE}
    outcome = run_job_with(["common"], HERE / "language_common.js", tmp_path_factory.mktemp("common"), state)
    assert outcome.exit_code == 0, outcome.log
    found = outcome.state["results"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("name", GOLDEN)
def test_language_common_behaves_in_the_host_as_it_does_in_node(name: str, results: dict[str, Any]) -> None:
    assert results[name] == GOLDEN[name]
