"""What other people's programs may import. A change here is a change of the interface: say it in the changelog."""

from __future__ import annotations

import importlib
import inspect

import pytest

import kivuko
from house.sources import PACKAGE, ROOT

PUBLIC = {
    "AdaptorProblem",
    "AttemptResult",
    "CompileError",
    "Credentials",
    "Edge",
    "EngineError",
    "ExecutionOptions",
    "ExecutionPlan",
    "InputError",
    "Job",
    "KivukoError",
    "LogRecord",
    "PlanError",
    "Program",
    "Result",
    "RunRecord",
    "Session",
    "Trigger",
    "Workflow",
    "__version__",
    "compile",
    "load",
    "run",
    "text_line",
}
SIGNATURES = {
    "run": ["program", "state", "adaptors", "credentials", "timeout_ms", "on_log"],
    "compile": ["source", "adaptors"],
    "load": ["program", "adaptors"],
    "Session": ["repo", "install"],
}
PACKAGES = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))


def test_the_library_offers_these_names_and_no_others() -> None:
    assert set(kivuko.__all__) == PUBLIC
    assert dir(kivuko) == sorted(PUBLIC)
    assert [name for name in PUBLIC if getattr(kivuko, name, None) is None] == []


@pytest.mark.parametrize("name", SIGNATURES)
def test_the_calls_of_the_library_take_these_arguments(name: str) -> None:
    assert list(inspect.signature(getattr(kivuko, name)).parameters) == SIGNATURES[name]


def test_every_name_of_the_library_is_in_its_reference() -> None:
    text = (ROOT / "docs" / "reference" / "library.md").read_text("utf-8")
    typing_only = {"Credentials", "Program", "LogRecord", "__version__"}
    assert [name for name in sorted(PUBLIC - typing_only) if name not in text] == []


@pytest.mark.parametrize("name", PACKAGES)
def test_every_name_that_a_package_lists_is_there(name: str) -> None:
    package = importlib.import_module(f"kivuko.{name}")
    assert [listed for listed in package.__all__ if not hasattr(package, listed)] == []
