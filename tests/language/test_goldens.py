"""The pairs of source and output that the reference's compiler gave (jobs-and-runtime §8.6)."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from kivuko.errors import CompileError, JobSyntaxError, LazyStateError
from kivuko.language import AdaptorNames, compile_job, compile_portable

FILE = Path(__file__).parents[1] / "conformance" / "compile-golden.jsonl"
GOLDENS = [json.loads(line) for line in FILE.read_text(encoding="utf-8").split("\n") if line]

MODERN = "modern syntax is accepted (D2)"
WHOLE = "the whole argument is wrapped, not only the callee (D3)"
CHAINS = "chains are complete: finally, ['then'], nested chains, a free helper, no hang (D4–D8)"
SCOPES = "block scopes exist (D12)"
SEEN = "names that the reference does not see are imported (D11)"
UNCOUNTED = "labels, export specifiers and method names are no uses"
KNOWN = "export names are always known: no dumb mode (D9)"
CLEAR = "an error in either case, here with a clear message and a place"
SUPERSET = "a superset of imports: the reference takes names of Object.prototype for declared"

DEVIATIONS = {
    identifier: reason
    for reason, identifiers in {
        MODERN: "GC028 GC038 GC046 GC047 GC055 GC058 GC074 GC150",
        WHOLE: "GC082 GC084 GC085 GC086 GC122 GC141",
        CHAINS: "GC222 GC223 GC230 GC231 GC258 GC259 GC244 GC248 GC249 GC245 GC246 GC253 GC262 GC263",
        SCOPES: "GC165 GC166 GC167 GC168",
        SEEN: "GC180 GC181 GC182 GC185 GC186 GC191 GC213",
        UNCOUNTED: "GC193 GC194 GC195 GC196",
        KNOWN: "GC160 GC161 GC197 GC198 GC199 GC200 GC201 GC202",
        CLEAR: "GC134",
        SUPERSET: "GC211",
    }.items()
    for identifier in identifiers.split()
}

LEFT_TO_V8 = {"GC026", "GC035", "GC070", "GC151"}
"""Refused by V8, not by the compiler: tree-sitter reads them, or has errors inside statements only."""


def adaptors_of(golden: dict[str, Any]) -> list[AdaptorNames]:
    given = golden.get("opts", {}).get("add-imports", {}).get("adaptors", [])
    return [AdaptorNames(adaptor["name"], tuple(adaptor.get("exports", ()))) for adaptor in given]


def ignored_by(golden: dict[str, Any]) -> list[str]:
    return golden.get("opts", {}).get("add-imports", {}).get("ignore", [])


def dense(text: str) -> str:
    return re.sub(r"\s+", "", text)


@pytest.mark.parametrize("golden", [g for g in GOLDENS if "code" in g and g["id"] not in DEVIATIONS], ids=lambda g: g["id"])
def test_the_module_equals_the_reference_s_up_to_white_space(golden: dict[str, Any]) -> None:
    module = compile_portable(golden["src"], adaptors_of(golden), ignore=ignored_by(golden))

    assert dense(module.code) == dense(golden["code"])


@pytest.mark.parametrize("golden", [g for g in GOLDENS if "code" in g and g["id"] not in DEVIATIONS], ids=lambda g: g["id"])
def test_the_operations_equal_the_reference_s_but_for_chains_which_keep_the_author_s_words(golden: dict[str, Any]) -> None:
    found = compile_portable(golden["src"], adaptors_of(golden)).source_map["operations"]

    assert isinstance(found, list)
    for ours, theirs in zip(found, golden["ops"], strict=True):
        assert ours["line"] > 0
        assert ours == theirs or theirs["name"] == "_defer"


@pytest.mark.parametrize(
    "golden", [g for g in GOLDENS if "error" in g and g["id"] not in DEVIATIONS | dict.fromkeys(LEFT_TO_V8)], ids=lambda g: g["id"]
)
def test_what_the_reference_refuses_is_refused_in_the_same_words(golden: dict[str, Any]) -> None:
    with pytest.raises((JobSyntaxError, LazyStateError)) as caught:
        compile_job(golden["src"], adaptors_of(golden))

    assert caught.value.message == golden["error"].split(": ", 1)[1]
    if "details" in golden:
        assert caught.value.details


@pytest.mark.parametrize("identifier", sorted(LEFT_TO_V8))
def test_v8_refuses_what_the_parser_lets_pass(node: Any, identifier: str) -> None:
    golden = next(g for g in GOLDENS if g["id"] == identifier)

    assert golden["error"].startswith("SyntaxError")
    assert node.refusal(compile_job(golden["src"])) is not None


@pytest.mark.parametrize("golden", [g for g in GOLDENS if g["id"] not in LEFT_TO_V8], ids=lambda g: g["id"])
def test_v8_accepts_the_host_script_of_every_golden_that_compiles(node: Any, golden: dict[str, Any]) -> None:
    if golden["id"] in ("GC159", "GC205"):
        pytest.skip("no valid program in the reference either: await inside a plain arrow; one name imported twice")
    try:
        job = compile_job(golden["src"], adaptors_of(golden))
    except CompileError:
        assert "error" in golden
        return

    assert node.refusal(job) is None


def test_every_deviation_is_real() -> None:
    """A deviation that is none any more must leave the list."""
    for golden in GOLDENS:
        if golden["id"] not in DEVIATIONS or "code" not in golden:
            continue
        module = compile_portable(golden["src"], adaptors_of(golden), ignore=ignored_by(golden))
        operations = module.source_map["operations"]
        assert golden["id"] == "GC245" or (dense(module.code), operations) != (dense(golden["code"]), golden["ops"]), golden["id"]
