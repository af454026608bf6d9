"""Declaration files and old sources, read without a compiler."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kivuko.adaptors.declarations import read_declarations
from kivuko.adaptors.jsdoc import Parameter

TYPES = """
export default Adaptor;
export * from "./Adaptor.js";
export * as util from './util.js';
import * as Adaptor from "./Adaptor.js";
/** Not a function: export function ghost(a): void; */
export type Options = { a: string };
/**
 * First.
 * @function
 * @param {string} path - the path
 * @param {Options} [options={}]
 */
export function get(path: string, options?: Options, ...rest: any[]): Operation;
export function get(path: string): Operation;
export function generic<T extends {a: (b: T) => void}>(items: Array<T>, each: (item: T, index: number) => Promise<T>): Promise<T[]>;
export function shaped({ a, b }?: { a: string; b: number }): (state: any) => any;
export namespace CONTENT {
    function hidden(): void;
}
declare function _delete(id: string): operation;
export { _delete as delete };
export { fn, each as loop } from "@openfn/language-common";
"""


def test_functions_are_found_with_their_parameters() -> None:
    functions = {function.name: function for function in read_declarations(TYPES).functions}
    assert sorted(functions) == ["delete", "generic", "get", "shaped"]
    assert functions["get"].parameters == (
        Parameter("path", "string", False, "the path"),
        Parameter("options", "Options", True),
        Parameter("rest", "any[]"),
    )
    assert (functions["get"].returns, functions["get"].doc.description) == ("Operation", "First.")
    assert [parameter.name for parameter in functions["generic"].parameters] == ["items", "each"]
    assert functions["generic"].parameters[1].type == "(item: T, index: number) => Promise<T>"
    assert functions["shaped"].parameters == (Parameter("options", "{ a: string; b: number }", True),)


def test_what_a_file_passes_on_is_found() -> None:
    declarations = read_declarations(TYPES)
    assert declarations.passed_on == ("./Adaptor.js",)
    assert declarations.namespaces == (("util", "./util.js"),)
    assert declarations.aliases == (("fn", "fn", "@openfn/language-common"), ("loop", "each", "@openfn/language-common"))


def test_an_old_source_is_read_by_its_comments() -> None:
    source = """'use strict';
    /** Sends it. @public
     * @function
     * @param {string} where - Where
     * @returns {Operation} */
    function send(where) { return function inner(state) {} }
    function helper() {}
    """
    functions = {function.name: function for function in read_declarations(source).functions}
    assert functions["send"].doc.has("function")
    assert functions["send"].returns == "Operation"
    assert functions["send"].parameters == (Parameter("where", "string", False, "Where"),)
    assert not functions["helper"].doc.tags


def test_of_overloads_the_documented_one_counts() -> None:
    text = "export function a(x): void;\n/** Says it.\n * @public */\nexport function a(y): void;"
    [function] = read_declarations(text).functions
    assert function.doc.description == "Says it."


@given(st.text(alphabet="export functi*/{}()<>,:;=? aA\n@'\"", max_size=200))
def test_any_text_can_be_read(text: str) -> None:
    for function in read_declarations(text).functions:
        assert function.name
