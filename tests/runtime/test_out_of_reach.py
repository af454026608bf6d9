"""What jobs cannot reach: the list is true, and the advice names a page that is there."""

from __future__ import annotations

import re

import pytest

import kivuko
from house.sources import ROOT
from kivuko.runtime.faults import import_fault
from kivuko.runtime.out_of_reach import advice_on_module, advice_on_name

NAMES = re.findall(
    r"\w+",
    "AbortController Blob FormData Headers TextDecoder TextEncoder URL URLSearchParams XMLHttpRequest __dirname __filename atob btoa "
    "crypto document exports fetch fs global localStorage module performance process queueMicrotask require setImmediate structuredClone "
    "window",
)


def test_every_name_with_advice_is_missing_in_a_job() -> None:
    job = f"const fn = f => s => f(s);\nfn(() => ({{ data: [{', '.join(f'typeof {name}' for name in NAMES)}] }}))"
    state = kivuko.run(job).state
    assert isinstance(state, dict)
    assert state["data"] == ["undefined"] * len(NAMES)
    assert all(advice_on_name(name).startswith(f"{name} is not there in a job: use ") for name in NAMES)


@pytest.mark.parametrize("name", ["Buffer", "console", "setTimeout", "get", "toString"])
def test_other_names_get_no_advice(name: str) -> None:
    assert advice_on_name(name) == ""


@pytest.mark.parametrize("specifier", ["fs", "node:fs", "fs/promises", "node:sqlite", "node:test/reporters", "child_process"])
def test_the_import_of_a_module_of_node_is_not_answered_with_how_to_install_it(specifier: str) -> None:
    fault = import_fault(specifier, reason="fs is not installed.", fix="Install it: kivuko repo install -a fs")
    assert fault.fix.startswith(f"{specifier.removeprefix('node:')} is a module of Node.js, and jobs cannot reach those")
    assert fault.details is None


@pytest.mark.parametrize("specifier", ["lodash", "@openfn/language-http", "fs-extra", "./fs"])
def test_any_other_import_keeps_its_own_advice(specifier: str) -> None:
    assert advice_on_module(specifier) == ""
    assert import_fault(specifier, reason="why", fix="how").fix == "how"


def test_the_page_that_the_advice_names_is_there_and_has_that_section() -> None:
    for advice in (advice_on_name("process"), advice_on_module("fs")):
        found = re.search(r'\((docs/\S+), "(.+)"\)', advice)
        assert found is not None
        assert f"## {found[2]}\n" in (ROOT / found[1]).read_text("utf-8")
