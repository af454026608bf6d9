"""Jobs and workflows run as in OpenFn, and better where Kivuko says so: every case of the runtime's suite."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.suite import cases, run_runtime_case

CASES = [case for case in cases("runtime.jsonl") if case["level"] in ("must", "should")]
pytestmark = [
    # The given runners leave files open; nothing of Kivuko runs in this process.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def _is_on_npm(case: dict[str, Any]) -> bool:
    return bool((case.get("options") or {}).get("network"))


@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in CASES if not _is_on_npm(case)])
def test_case_of_the_runtime(case: dict[str, Any], openfn: str, empty_repo: Path) -> None:
    assert run_runtime_case(case, openfn, empty_repo) == []


@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in cases("improvements.jsonl")])
def test_case_of_what_kivuko_does_better(case: dict[str, Any], openfn: str, empty_repo: Path) -> None:
    assert run_runtime_case(case, openfn, empty_repo) == []


@pytest.mark.network
@pytest.mark.xdist_group("growing_repo")
@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in CASES if _is_on_npm(case)])
def test_case_of_the_runtime_with_a_package(case: dict[str, Any], openfn: str, growing_repo: Path) -> None:
    assert run_runtime_case(case, openfn, growing_repo) == []
