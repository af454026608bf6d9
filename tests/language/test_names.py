"""Which adaptor exports a job uses (jobs-and-runtime §1.8, §1.9)."""

from __future__ import annotations

from typing import Any

import pytest

from kivuko.errors import CompileError
from kivuko.language import AdaptorNames, compile_job, compile_portable, uses_collections

X = AdaptorNames("X", ("get", "post", "each", "map", "default", "p", "$", "delete", "a-b", "étoile"))


def used(source: str, **options: Any) -> tuple[str, ...]:
    return compile_job(source, [X], **options).used.get("X", ())


USED = [
    ("get(post)", ("get", "post")),
    ("get({ post })", ("get", "post")),
    ("get({ post: post })", ("get", "post")),
    ("get({ [post]: 1 })", ("get", "post")),
    ("get(a.b[post], c[map])", ("get", "post", "map")),
    ("const o = { g: [() => get('/x')] };", ("get",)),
    ("export const o = { a: post };", ("post",)),
    ("get(a?.b?.[post], post?.a)", ("get", "post")),
    ("get(`${post}`)", ("get", "post")),
    ("get(class A extends post { [each]() { return map } })", ("get", "post", "each", "map")),
    ("get((post = each) => post())", ("get", "each")),
    ("get(({ a = each, [map]: b }) => a)", ("get", "each", "map")),
    ("get = 1; post++; ({ map } = x); [each] = y", ("get", "post", "each", "map")),
    ("for (each of map) get", ("get", "each", "map")),
    ("typeof get", ("get",)),
    ("get($)", ("get", "$")),
    ("g\\u0065t()", ("get",)),
    ("étoile()", ("étoile",)),
    ("'\u00a0'; get('é', 'x\u2028')\u00a0\nx(\u00a0post)", ("get", "post")),
    ("new get.Thing()", ("get",)),
    ("export default [get()]", ("get",)),
    ("export { get, post as p }", ("get", "post")),
]


@pytest.mark.parametrize(("source", "names"), USED)
def test_a_free_name_is_used(source: str, names: tuple[str, ...]) -> None:
    assert used(source) == names


UNUSED = [
    "x.get; x?.get; x['get']",
    "x({ get: 1, post() {}, get each() { return 1 }, async map() {} })",
    "class A { get = 1; post() {} static each }",
    "get: for (;;) { break get }",
    "'get'; `get`; /get/; // get",
    "const a = 1; export { a as get }",
    "export { get } from 'y'; export * as post from 'z'",
    "import { get as x } from 'y'",
    "getter(); $get(); get2()",
    "get1.post",
]


@pytest.mark.parametrize("source", UNUSED)
def test_properties_keys_labels_and_texts_are_no_uses(source: str) -> None:
    assert used(source) == ()


DECLARED = [
    "const get = 1; x(get)",
    "x(get); var get",
    "x(get); function get() {}",
    "class get {} x(get)",
    "import get from 'y'; x(get)",
    "import * as get from 'y'; x(get)",
    "import { post as get } from 'y'; x(get)",
    "const { a: { get }, ...post } = y; x(get, post)",
    "const [get, [post = 1], ...each] = y; x(get, post, each)",
    "x(get => get)",
    "x((get, { post }, [each], ...map) => [get, post, each, map])",
    "x(function get() { return get })",
    "x(class get { m() { return get } })",
    "x(s => { { var get } return get })",
    "x(s => { if (s) { var { get } = s } return get })",
    "x(s => { for (var get of s) {} return get })",
    "try {} catch (get) { get() }",
    "try {} catch ({ get, a: [post] }) { get(post) }",
    "for (let get = 0; get < 1; get++) x(get)",
    "for (const get of y) x(get)",
    "for (const { get } in y) x(get)",
    "switch (x) { case 1: let get; get() }",
    "{ function get() {} get() }",
    "if (a) { var get } get()",
    "using get = y; x(get)",
    "x(function () { var get; return () => get })",
]


@pytest.mark.parametrize("source", DECLARED)
def test_a_name_declared_in_an_enclosing_scope_is_not_imported(source: str) -> None:
    assert used(source) == ()


ESCAPING = [
    "x(s => { { let get = 1 } return get() })",
    "x(s => { for (const get of []) {} return get })",
    "x(s => { for (let get = 0;;) {} return get })",
    "x(s => { try {} catch (get) {} return get })",
    "x(s => { { function get() {} } return get })",
    "x(s => { { class get {} } return get })",
    "x(s => { switch (s) { case 1: let get } return get })",
    "x(function get() {}, get)",
    "x(class get {}, get)",
    "x(get => 1, get)",
    "{ const get = 1 } get()",
    "x((a = get) => { var get; return a })",
    "class A { static { var get } m() { return get } }",
]


@pytest.mark.parametrize("source", ESCAPING)
def test_declarations_end_with_their_block(source: str) -> None:
    assert used(source) == ("get",)


def test_names_that_cannot_be_names_are_never_bound() -> None:
    assert used("delete x.y; x['a-b']; arguments; default_") == ()


def test_the_names_of_globals_are_left_out() -> None:
    assert used("get(post)", ignore=["post", "each"]) == ("get",)
    assert used("get(post)", ignore={"get", "post"}) == ()


def test_an_adaptor_of_which_nothing_is_used_is_not_bound() -> None:
    job = compile_job("get()", [AdaptorNames("A", ("nothing",)), X, AdaptorNames("B", ())])

    assert job.modules == job.execute_from == ("X",)
    assert '"A"' not in job.script


def test_two_adaptors_with_different_names_stay_in_their_order(node: Any) -> None:
    adaptors = [AdaptorNames("A", ("a",)), AdaptorNames("B", ("b", "a2"))]
    job = compile_job("b(a)", adaptors)

    assert job.execute_from == ("A", "B")
    assert node.execute(job, modules="{ A: { a: 1 }, B: { b: x => s => x } }")["result"] == 1


def test_a_used_name_of_two_adaptors_is_an_error_that_names_both() -> None:
    adaptors = [AdaptorNames("@openfn/language-a", ("get", "x")), AdaptorNames("@openfn/language-b", ("get", "x"))]

    with pytest.raises(CompileError) as caught:
        compile_job("x\n\n+ get", [adaptors[0], AdaptorNames("@openfn/language-b", ("get",))])

    assert caught.value.message == (
        "Identifier 'get' has already been declared: both @openfn/language-a and @openfn/language-b export it (3:2)"
    )
    assert "import { get } from '@openfn/language-a'" in caught.value.fix
    assert compile_job("y()", adaptors).used == {}
    assert compile_portable("get()", adaptors).code.count("import { get }") == 2


def test_an_import_of_one_s_own_decides_between_two_adaptors() -> None:
    adaptors = [AdaptorNames("A", ("get",)), AdaptorNames("B", ("get",))]

    assert compile_job("import { get } from 'A'; get()", adaptors).used == {}


def test_the_same_adaptor_twice_is_one() -> None:
    assert compile_job("get()", [X, X]).execute_from == ("X",)


@pytest.mark.parametrize(
    ("source", "expected"), [("collections.get('a')", True), ("x = 'collections.'", True), ("collections", False), ("", False)]
)
def test_any_mention_of_collections_asks_for_the_adaptor(source: str, expected: bool) -> None:
    assert uses_collections(source) is expected
