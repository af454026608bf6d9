"""A plan made ready."""

from __future__ import annotations

import pytest

from kivuko.engines.run import HostKey
from kivuko.errors import AdaptorBroken, CircularDependency, CompileError, JobSyntaxError, LazyStateError, PlanError
from kivuko.runtime import CompileSettings, Program, prepare
from kivuko.value import replace
from kivuko.workflow import read_plan

from .conftest import Desk, job

COMMON = "@openfn/language-common"


def source(text: str, *adaptors: str, **more: object) -> dict[str, object]:
    return {"id": "a", "expression": text, "adaptors": list(adaptors), **more}


def test_a_job_is_compiled_against_the_adaptors_it_names(desk: Desk) -> None:
    desk.adaptor(COMMON, "fn", "each")
    prepared = desk.prepare({"steps": [source("fn(s => s)", COMMON)]}).jobs["a"]
    assert prepared.compiled is not None
    assert [(operation.name, operation.line) for operation in prepared.compiled.operations] == [("fn", 1)]
    assert prepared.modules == {COMMON: desk.adaptors[COMMON].files}
    assert prepared.fault is None


def test_an_adaptor_of_which_nothing_is_used_is_loaded_but_not_read(desk: Desk) -> None:
    desk.adaptor(COMMON, "each")
    prepared = desk.prepare({"steps": [source("fn(s => s)", COMMON)]}).jobs["a"]
    assert prepared.modules == {}
    assert prepared.loaded == (desk.adaptors[COMMON].files,)


def test_a_missing_adaptor_crashes_its_job_when_it_is_reached(desk: Desk) -> None:
    result = desk.execute([source("fn(s => s)", "@openfn/language-http@7.0.0")])
    assert desk.order == []
    assert (result.reason, result.error_type) == ("crash", "ImportError")
    assert result.error_message == 'Failed to import module "@openfn/language-http"'
    assert "[R/T] ✘ CRITICAL ERROR! Aborting execution" in desk.log
    assert "[R/T] ✔ a completed" not in "\n".join(desk.log)


@pytest.mark.parametrize(
    ("text", "name"),
    [("common", "common"), ("@openfn/language-x=/tmp/x", "@openfn/language-x"), ("@openfn/language-x@1.0.0=/p@q", "@openfn/language-x")],
)
def test_the_name_of_a_missing_adaptor_has_no_version_and_no_path(desk: Desk, text: str, name: str) -> None:
    assert desk.execute([source("1", text)]).error_message == f'Failed to import module "{name}"'


@pytest.mark.parametrize("module", ["blah", "fs", "./x.js", "node:fs"])
def test_an_import_that_leads_nowhere_crashes_its_job(desk: Desk, module: str) -> None:
    result = desk.execute([source(f"import x from '{module}';\nfn(s => s)")])
    assert result.error_message == f'Failed to import module "{module}"'


def test_a_module_that_a_job_imports_itself_is_resolved(desk: Desk) -> None:
    desk.adaptor("lodash", "map")
    prepared = desk.prepare({"steps": [source("import { map } from 'lodash';\nfn(s => s)")]}).jobs["a"]
    assert prepared.modules == {"lodash": desk.adaptors["lodash"].files}
    assert prepared.loaded == (desk.adaptors["lodash"].files,)


def test_a_linker_says_which_version_of_an_import_is_meant(desk: Desk) -> None:
    desk.adaptor("lodash@4.0.0", "map")
    prepared = desk.prepare({"steps": [source("import { map } from 'lodash';", linker={"lodash": {"version": "4.0.0"}})]}).jobs["a"]
    assert prepared.modules == {"lodash": desk.adaptors["lodash@4.0.0"].files}


def test_a_name_that_an_imported_module_lacks_crashes_the_job(desk: Desk) -> None:
    desk.adaptor("lodash", "map")
    result = desk.execute([source("import { nope } from 'lodash';")])
    assert (result.reason, result.runs[0].error_type) == ("crash", "SyntaxError")
    assert result.error_message == "SyntaxError: The requested module 'lodash' does not provide an export named 'nope'"


def test_the_runtime_may_be_imported(desk: Desk) -> None:
    assert desk.prepare({"steps": [source("import { defer } from '@openfn/runtime';")]}).jobs["a"].fault is None


def test_a_syntax_error_names_the_job(desk: Desk) -> None:
    with pytest.raises(JobSyntaxError) as caught:
        desk.prepare({"steps": [source("fn(", name="Fetch")]})
    assert caught.value.job == "Fetch"


def test_lazy_state_out_of_place_names_the_job(desk: Desk) -> None:
    with pytest.raises(LazyStateError) as caught:
        desk.prepare({"steps": [source("$.x = 1")]})
    assert caught.value.job == "a"


def test_a_job_that_javascript_refuses_is_refused_with_its_words(desk: Desk) -> None:
    desk.engine.refused["let a; let a"] = "Identifier 'a' has already been declared (1:11)"
    with pytest.raises(JobSyntaxError, match="already been declared"):
        desk.prepare({"steps": [source("let a; let a")]})


def test_a_syntax_error_of_the_compiler_is_told_in_the_words_of_javascript(desk: Desk) -> None:
    desk.engine.refused["fn("] = "Unexpected token (1:3), says acorn"
    with pytest.raises(JobSyntaxError, match="says acorn"):
        desk.prepare({"steps": [source("fn(")]})


def test_a_job_that_does_not_compile_can_wait_until_it_is_reached(desk: Desk) -> None:
    plan = read_plan({"steps": [job("a", {"b": True}), {"id": "b", "name": "Send", "expression": "fn("}]})
    program = prepare(plan, desk.resolve, compile_settings=CompileSettings(strict=False))
    fault = program.jobs["b"].fault
    assert fault is not None
    assert (fault.name, fault.severity) == ("CompileError", "crash")
    assert fault.message.startswith("Send: Unexpected token (1:")


def test_globals_are_compiled_and_their_names_hide_those_of_adaptors(desk: Desk) -> None:
    desk.adaptor(COMMON, "fn", "each")
    program = desk.prepare({"globals": "export const each = 1;", "steps": [source("fn(each)", COMMON)]})
    assert program.globals_script is not None
    compiled = program.jobs["a"].compiled
    assert compiled is not None
    assert compiled.used == {COMMON: ("fn",)}


def test_a_syntax_error_in_globals_is_refused(desk: Desk) -> None:
    with pytest.raises(CompileError) as caught:
        desk.prepare({"globals": "export const x = (", "steps": [source("1")]})
    assert caught.value.job == "globals"


@pytest.mark.parametrize(("ignored", "used"), [(True, {}), (frozenset({"each"}), {COMMON: ("fn",)}), (False, {COMMON: ("fn", "each")})])
def test_imports_can_be_ignored(desk: Desk, ignored: bool | frozenset[str], used: dict[str, tuple[str, ...]]) -> None:
    desk.adaptor(COMMON, "fn", "each")
    plan = read_plan({"steps": [source("fn(each)", COMMON)]})
    compiled = prepare(plan, desk.resolve, compile_settings=CompileSettings(ignore_imports=ignored)).jobs["a"].compiled
    assert compiled is not None
    assert {specifier: set(names) for specifier, names in compiled.used.items()} == {key: set(names) for key, names in used.items()}


def test_without_compiling_a_source_stays_a_module(desk: Desk) -> None:
    plan = read_plan({"steps": [source("fn(s => s)")]})
    program = prepare(plan, desk.resolve, compile_settings=CompileSettings(compiled=False))
    compiled = program.jobs["a"].compiled
    assert compiled is not None
    assert compiled.operations == ()
    assert not program.compiled


def test_the_structure_is_validated_first_and_refusal_is_told(desk: Desk) -> None:
    with pytest.raises(CircularDependency):
        desk.prepare({"steps": [job("a", "a")]})
    assert desk.log == [
        "[R/T] ✘ Error validating execution plan",
        "[R/T] ✘ Circular dependency: a <-> a",
        "[R/T] ✘ Aborting",
    ]


def test_conditions_that_are_no_javascript_are_all_named(desk: Desk) -> None:
    desk.engine.refused = {"!!!": "Unexpected token '}'", "@@": "Invalid or unexpected token"}
    with pytest.raises(PlanError) as caught:
        desk.prepare({"steps": [job("a", {"b": {"condition": " !!!"}, "c": "@@", "d": "on_job_success"}), job("b"), job("c"), job("d")]})
    assert caught.value.message.split("\n\n") == [
        "Failed to compile edge condition a->b (Unexpected token '}')",
        "Failed to compile edge condition a->c (Invalid or unexpected token)",
    ]


def test_disabled_conditions_are_not_looked_at(desk: Desk) -> None:
    desk.engine.refused = {"!!!": "x"}
    desk.prepare({"steps": [job("a", {"b": {"condition": "!!!", "disabled": True}}), job("b")]})


def test_the_host_starts_while_jobs_are_compiled(desk: Desk) -> None:
    desk.adaptor(COMMON, "fn")
    desk.execute([source("fn(s => s)", COMMON, next="b"), {**source("1"), "id": "b"}])
    (key,) = desk.engine.prepared
    assert key == HostKey("local", "", (desk.adaptors[COMMON].files,))
    assert {request.key for request in desk.engine.requests} == {key}


def test_no_host_starts_early_where_credentials_decide_which(desk: Desk) -> None:
    desk.settings = replace(desk.settings, one_host=False)
    desk.prepare({"steps": [job("a")]})
    assert desk.engine.prepared == []


def test_an_adaptor_is_looked_for_once(desk: Desk) -> None:
    asked: list[str] = []

    def resolve(text: str) -> object:
        asked.append(text)
        return desk.resolve(text)

    desk.adaptor(COMMON, "fn")
    steps = [source("fn(s => s)", COMMON, next="b"), {**source("fn(s => s)", COMMON), "id": "b"}]
    program: Program = prepare(read_plan({"steps": steps}), resolve)  # type: ignore[arg-type]
    assert asked == [COMMON]
    assert set(program.jobs) == {"a", "b"}


def test_an_adaptor_that_does_not_load_crashes_the_job_that_needs_it(desk: Desk) -> None:
    broken = AdaptorBroken("common does not load: x is not a function", details="at index.js:1")
    desk.adaptor(COMMON, "fn")
    desk.engine.unable = broken
    desk.engine.jobs["a"] = lambda state, request: broken
    desk.engine.conditions["state.x"] = lambda state: True
    result = desk.execute([source("fn(s => s)", COMMON, next={"b": "state.x"}), job("b")])
    assert (result.reason, result.error_type, result.error_message) == ("crash", "ImportError", "common does not load: x is not a function")
    assert "[R/T] ✘ Additional error details:" in desk.log
