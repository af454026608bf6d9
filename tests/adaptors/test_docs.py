"""Documents of operations (cli.md §3.6)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kivuko.adaptors import Adaptor, Layout, Specifier
from kivuko.adaptors.docs import adaptor_docs, read_docs
from kivuko.engines import ModuleFiles

from .conftest import NAME, toy, write

GET = """
/**
 * Fetch it.
 * @public
 * @function
 * @magic
 * @param {string} path - Where
 * @param {object} [options]
 * @example <caption>Plain</caption>
 * get('/x')
 * @returns {Operation}
 */
export function get(path: string, options?: object): Operation;
/** @private
 * @function */
export function secret(): void;
/** Not marked. */
export function unmarked(): void;
"""
COMMON = {
    "package.json": json.dumps({"name": "@openfn/language-common", "version": "3.3.4", "types": "types/index.d.ts"}),
    "types/index.d.ts": "/** Runs it.\n * @function\n * @returns {Operation} */\nexport function fn(f: Function): Operation;",
}
TYPES = {
    "types/index.d.ts": 'export * from "./Adaptor.js";\nexport * as util from "./util.js";\nexport * as gone from "./gone.js";',
    "types/Adaptor.d.ts": GET + 'export { fn } from "@openfn/language-common";',
    "types/util.d.ts": "/** Ids.\n * @public */\nexport function uuid(): string;",
}


def adaptor(folder: Path, *exports: str, origin: str = "repo") -> Adaptor:
    """An adaptor in a folder."""
    return Adaptor(Specifier(NAME), NAME, "1.0.0", folder, exports, ModuleFiles(NAME, "key", "folder", "index.js"), origin)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "toy/node_modules/@openfn/language-common", COMMON)
    return write(tmp_path / "toy", {**toy(package={"types": "types/index.d.ts"}), **TYPES})


def test_the_shape_is_that_of_openfn(folder: Path) -> None:
    document = adaptor_docs(adaptor(folder, "fn", "get", "util"))
    assert (document["name"], document["version"]) == (NAME, "1.0.0")
    assert document["namespaces"] == [{"name": "util", "type": "namespace"}]
    functions = document["functions"]
    assert isinstance(functions, list)
    assert [function["name"] for function in functions] == ["fn", "get", "util.uuid"]
    assert functions[1] == {
        "name": "get",
        "type": "function",
        "magic": True,
        "isOperation": True,
        "parameters": [{"name": "path", "optional": False, "type": "string"}, {"name": "options", "optional": True, "type": "object"}],
        "description": "Fetch it.",
        "examples": [{"code": "get('/x')", "caption": "Plain"}],
        "package": NAME,
    }
    assert functions[0]["package"] == "@openfn/language-common"
    assert functions[0]["description"] == "Runs it."
    assert functions[2]["isOperation"] is False


def test_what_is_declared_but_not_exported_is_left_out(folder: Path) -> None:
    functions = adaptor_docs(adaptor(folder, "get"))["functions"]
    assert isinstance(functions, list)
    assert [function["name"] for function in functions] == ["get"]


def test_a_package_without_types_is_documented_by_its_ast(tmp_path: Path) -> None:
    tags = [
        {"title": "public", "description": None, "type": None},
        {"title": "example", "description": "send(1)", "caption": "One"},
        {"title": "param", "description": "What", "name": "what", "type": {"type": "NameExpression", "name": "string"}},
        {"title": "param", "description": "How", "name": "how", "type": {"type": "OptionalType", "name": "object"}},
        {"title": "returns", "description": None, "type": {"type": "NameExpression", "name": "Operation"}},
    ]
    operation = {"name": "send", "params": ["what", "how"], "docs": {"description": "Sends.", "tags": tags}, "valid": True}
    write(tmp_path, {**toy(), "ast.json": json.dumps({"operations": [operation, {"name": "bad"}, None], "common": []})})
    functions = adaptor_docs(adaptor(tmp_path, "send"))["functions"]
    assert isinstance(functions, list)
    [send] = functions
    assert (send["description"], send["isOperation"]) == ("Sends.", True)
    assert send["parameters"] == [
        {"name": "what", "optional": False, "type": "string"},
        {"name": "how", "optional": True, "type": "object"},
    ]
    assert send["examples"] == [{"code": "send(1)", "caption": "One"}]


def test_an_old_package_is_documented_by_its_comments(tmp_path: Path) -> None:
    source = "/** Sends.\n * @public\n * @param {string} what */\nfunction send(what) {}"
    write(tmp_path, {**toy(), "lib/Adaptor.js": source})
    functions = adaptor_docs(adaptor(tmp_path, "send"))["functions"]
    assert isinstance(functions, list)
    assert [(function["name"], function["description"]) for function in functions] == [("send", "Sends.")]


def test_a_package_without_any_documentation_lists_its_exports(tmp_path: Path) -> None:
    functions = adaptor_docs(adaptor(write(tmp_path, toy()), "execute", "fn"))["functions"]
    assert isinstance(functions, list)
    assert [function["name"] for function in functions] == ["fn"]


def test_the_document_is_kept_and_read_again(folder: Path, layout: Layout) -> None:
    made = read_docs(layout, adaptor(folder, "get"))
    file = layout.docs / f"{NAME}@1.0.0.json"
    assert json.loads(file.read_text()) == made
    file.write_text(json.dumps({**made, "description": "edited"}))
    assert read_docs(layout, adaptor(folder, "get"))["description"] == "edited"


def test_a_placeholder_that_openfn_left_does_not_count(folder: Path, layout: Layout) -> None:
    write(layout.docs, {f"{NAME}@1.0.0.json": '{"loading": true, "timestamp": 1}'})
    assert "functions" in read_docs(layout, adaptor(folder, "get"))


def test_the_document_of_a_local_folder_is_never_kept(folder: Path, layout: Layout) -> None:
    read_docs(layout, adaptor(folder, "get", origin="path"))
    assert not layout.docs.exists()
