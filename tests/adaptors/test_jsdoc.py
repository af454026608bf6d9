"""JSDoc comments."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kivuko.adaptors.jsdoc import Example, Parameter, read_jsdoc

COMMENT = """/**
 * Makes a request.
 * Paths are relative.
 * @public
 * @example <caption>With a
 * query</caption>
 * get('/x', {
 *   query: { a: 1 },
 * });
 * @example
 * get('/y')
 * @function
 * @param {string} path - Where to
 * @param {object|{a: {b: string}}} [options={}] - How
 * @param {string} options.query - not a parameter of its own
 * @param {Function=} callback
 * @param bare
 * @returns {Operation}
 */"""


def test_a_comment_is_read() -> None:
    doc = read_jsdoc(COMMENT)
    assert doc.description == "Makes a request.\nPaths are relative."
    assert doc.has("function")
    assert not doc.has("private")
    assert doc.returns == "Operation"
    assert doc.examples == (Example("get('/x', {\n  query: { a: 1 },\n});", "With a query"), Example("get('/y')"))
    assert doc.parameters == (
        Parameter("path", "string", False, "Where to"),
        Parameter("options", "object|{a: {b: string}}", True, "How"),
        Parameter("callback", "Function", True),
        Parameter("bare"),
    )


def test_the_description_may_be_a_tag() -> None:
    assert read_jsdoc("/** @description Says it.\n * @public */").description == "Says it."


def test_an_address_with_an_at_sign_is_no_tag() -> None:
    assert read_jsdoc("/** Write to me@example.org */").tags == ()


def test_a_type_that_is_not_closed_is_text() -> None:
    assert read_jsdoc("/** @param {string path */").parameters == ()


@given(st.text(max_size=200))
def test_any_text_can_be_read(text: str) -> None:
    doc = read_jsdoc(text)
    assert isinstance(doc.parameters, tuple)
    assert isinstance(doc.returns, str)
    assert all(example.code == example.code.strip() for example in doc.examples)
