"""The command line does what OpenFn's does: every case of the commands that are there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.suite import cases, installs, needs_npm, run_cli_case, uses_missing_command

STAYING = {"err-fail-exit-0", "exec-null-state", "adaptor-two-fn-clash"}
"""Quirks of the reference that Kivuko keeps (docs/compatibility.md); every other one differs on purpose."""

CASES = [case for case in cases("cli.jsonl") if not uses_missing_command(case) and (not case.get("quirk") or case["id"] in STAYING)]


pytestmark = [
    # The given runners leave files open; nothing of Kivuko runs in this process.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def _parameter(case: dict[str, Any]) -> Any:
    marks = [pytest.mark.network] if needs_npm(case) else []
    return pytest.param(case, id=case["id"], marks=[*marks, *([pytest.mark.xdist_group("growing_repo")] if installs(case) else [])])


@pytest.mark.parametrize("case", [_parameter(case) for case in CASES])
def test_case_of_the_command_line(case: dict[str, Any], openfn: str, request: pytest.FixtureRequest) -> None:
    shared = "repo" if needs_npm(case) or case["area"] == "repo" else "empty_repo"
    repo: Path = request.getfixturevalue("growing_repo" if installs(case) else shared)
    assert run_cli_case(case, openfn, repo) == []
