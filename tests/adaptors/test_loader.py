"""loader.js in a Node process of its own, with bundles and folders that a test writes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import kivuko.engines
from kivuko.engines import find_node

from .conftest import write

LOADER = Path(kivuko.engines.__file__).parent / "javascript" / "loader.js"
HARNESS = Path(__file__).with_name("loader_harness.js")

SHARED = """function(module,exports){
globalThis.evaluated=(globalThis.evaluated||0)+1;exports.count=0;exports.up=()=>{exports.count+=1;return exports.count}}"""
FRESH = """function(module,exports,require,__file,__folder,__namespace,__import){'use strict';
var dep = __import("dep"); var calls = 0;
module.exports = Object.defineProperty({}, '__esModule', {value: true});
Object.defineProperty(module.exports, 'call', {enumerable: true, get: () => () => (calls += 1)});
Object.defineProperty(module.exports, 'dep', {enumerable: true, get: () => dep.default});
Object.defineProperty(module.exports, 'default', {enumerable: true, get: () => ({})});
}"""


def script(modules: Sequence[tuple[str, int, dict[str, str], str]]) -> str:
    """A bundle file: modules as (id, is ES module, specifier → id, function)."""
    ids = list(dict.fromkeys([*(module[0] for module in modules), *(id_ for module in modules for id_ in module[2].values())]))
    table = {"ids": ids, "modules": [[esm, {spec: ids.index(id_) for spec, id_ in deps.items()}, 0] for _, esm, deps, _ in modules]}
    return f"//{json.dumps(table)}\n([\n{','.join(module[3] for module in modules)}\n])\n"


def bundle(folder: Path, name: str, parts: dict[str, str], entry: str, late: dict[str, list[str]] | None = None) -> dict[str, str]:
    """Writes scripts (kind name → text) and a manifest; gives what preload takes."""
    scripts = []
    for label, text in parts.items():
        kind = label.split()[0]
        write(folder, {f"{label.replace(' ', '-').replace('/', '-')}.js": text})
        scripts.append(
            {"kind": kind, "name": label.split()[1], "file": f"{label.replace(' ', '-').replace('/', '-')}.js", "holds": ["dep@1/"]}
        )
    write(folder, {f"{name}.json": json.dumps({"entry": entry, "scripts": scripts, "late": late or {}})})
    return {"specifier": name, "key": name, "form": "bundle", "file": str(folder / f"{name}.json")}


def run(modules: Sequence[dict[str, str]], program: str, *, late: bool = False) -> dict[str, Any]:
    """What the program gives, or the error of preload."""
    question = json.dumps({"modules": modules, "late": late, "program": program})
    done = subprocess.run([find_node(), HARNESS, LOADER], input=question, capture_output=True, text=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def toy_bundle(folder: Path, name: str = "@openfn/language-toy", late: dict[str, list[str]] | None = None) -> dict[str, str]:
    parts = {
        "vendor vendor": script([("dep@1/index.js", 0, {}, SHARED)]),
        f"adaptor {name}@1.0.0": script([(f"{name}@1.0.0/index.js", 1, {"dep": "dep@1/index.js"}, FRESH)]),
    }
    return bundle(folder, name.replace("/", "+"), parts, f"{name}@1.0.0/index.js", late)


def folder_module(folder: Path, entry: str = "index.js") -> dict[str, str]:
    return {"specifier": "x", "key": "x", "form": "folder", "file": str(folder / entry)}


class TestBundles:
    """Modules of @openfn are made anew for each Attempt, third-party modules are shared."""

    def test_each_instance_has_variables_of_its_own(self, tmp_path: Path) -> None:
        program = "const [a, b] = [1, 2].map(() => loader.instance().get(modules[0].key)); return [a.call(), a.call(), b.call()]"
        assert run([toy_bundle(tmp_path)], program)["value"] == [1, 2, 1]

    def test_third_party_modules_are_evaluated_once(self, tmp_path: Path) -> None:
        program = "for (let i = 0; i < 5; i += 1) loader.instance(); return globalThis.evaluated"
        assert run([toy_bundle(tmp_path)], program)["value"] == 1

    def test_two_adaptors_share_them(self, tmp_path: Path) -> None:
        modules = [toy_bundle(tmp_path), toy_bundle(tmp_path, "@openfn/language-other")]
        program = "const i = loader.instance(); return [globalThis.evaluated, i.get(modules[0].key).dep === i.get(modules[1].key).dep]"
        assert run(modules, program)["value"] == [1, True]

    def test_a_third_party_module_cannot_be_changed_by_an_adaptor(self, tmp_path: Path) -> None:
        program = "'use strict'; const { dep } = loader.instance().get(modules[0].key); try { dep.up = 1 } catch (e) { return e.name }"
        assert run([toy_bundle(tmp_path)], program)["value"] == "TypeError"

    def test_what_outlives_an_attempt_is_named_for_the_integrity_check(self, tmp_path: Path) -> None:
        program = "return loader.objectsToGuard().includes(loader.instance().get(modules[0].key).dep)"
        assert run([toy_bundle(tmp_path)], program)["value"] is True

    def test_names_are_sorted_and_without_default(self, tmp_path: Path) -> None:
        assert run([toy_bundle(tmp_path)], "return loader.names(modules[0].key)")["value"] == ["call", "dep"]

    def test_late_modules_are_evaluated_when_they_are_used(self, tmp_path: Path) -> None:
        modules = [toy_bundle(tmp_path, late={"dep@1/index.js": ["count", "up", "default"]})]
        use = "const before = globalThis.evaluated; a.dep; a.dep; return [before, globalThis.evaluated]"
        program = f"const a = loader.instance().get(modules[0].key); {use}"
        assert run(modules, program, late=True)["value"] == [None, 1]
        assert run(modules, program, late=False)["value"] == [1, 1]

    def test_a_late_es_module_has_its_own_default(self, tmp_path: Path) -> None:
        dep = "function(module){module.exports=Object.defineProperty({default:7,named:8},'__esModule',{value:true})}"
        own = "function(module,exports,require,f,d,n,__import){const dep=__import('dep');module.exports={read:()=>[dep.default,dep.named]}}"
        parts = {
            "vendor vendor": script([("dep@1/index.js", 1, {}, dep)]),
            "adaptor x@1": script([("toy", 1, {"dep": "dep@1/index.js"}, own)]),
        }
        modules = [bundle(tmp_path, "toy", parts, "toy", {"dep@1/index.js": ["default", "named"]})]
        for late in (False, True):
            assert run(modules, "return loader.instance().get('toy').read()", late=late)["value"] == [7, 8]

    def test_a_late_module_is_shared_by_instances(self, tmp_path: Path) -> None:
        modules = [toy_bundle(tmp_path, late={"dep@1/index.js": ["default"]})]
        program = "const k = modules[0].key; return loader.instance().get(k).dep === loader.instance().get(k).dep"
        assert run(modules, program, late=True)["value"] is True

    def test_files_are_told_apart(self, tmp_path: Path) -> None:
        files = [
            "kivuko/vendor/ab12.js",
            "@openfn/language-toy@1.0.0/adaptor.js",
            "@openfn/language-common@3.3.4/common.js",
            "vm:module(0)",
        ]
        files += [
            "file:///r/node_modules/@openfn/language-x_1.0.0/index.js",
            "/r/node_modules/@openfn/language-x/node_modules/undici/a.js",
            "node:fs",
        ]
        assert run([toy_bundle(tmp_path)], f"return {json.dumps(files)}.map(loader.classify)")["value"] == [
            "vendor",
            "adaptor",
            "adaptor",
            None,
            "adaptor",
            "vendor",
            None,
        ]

    def test_stacks_name_the_adaptor(self, tmp_path: Path) -> None:
        throwing = FRESH.replace("(calls += 1)", "{ throw new Error('boom') }")
        parts = {
            "vendor vendor": script([("dep@1/index.js", 0, {}, SHARED)]),
            "adaptor @openfn/language-toy@1.0.0": script([("toy", 1, {"dep": "dep@1/index.js"}, throwing)]),
        }
        modules = [bundle(tmp_path, "toy", parts, "toy")]
        program = "try { loader.instance().get('toy').call() } catch (e) { return e.stack }"
        assert "@openfn/language-toy@1.0.0/adaptor.js:" in run(modules, program)["value"]

    def test_an_optional_package_that_is_missing_fails_as_in_node(self, tmp_path: Path) -> None:
        code = "function(module,exports,require){try{require('gone')}catch(e){exports.code=e.code;exports.message=e.message}}"
        modules = [bundle(tmp_path, "toy", {"adaptor x@1": script([("toy", 0, {}, code)])}, "toy")]
        value = run(modules, "const t = loader.instance().get('toy'); return [t.code, t.message]")["value"]
        assert value[0] == "MODULE_NOT_FOUND"
        assert value[1].startswith("Cannot find module 'gone'")

    def test_a_module_that_fails_is_named_and_a_second_try_fails_the_same(self, tmp_path: Path) -> None:
        code = "function(){throw new Error('no database')}"
        modules = [bundle(tmp_path, "toy", {"adaptor x@1": script([("toy", 0, {}, code)])}, "toy")]
        answer = run(modules, "return 1")
        assert answer == {"error": 'Failed to import module "toy"\nno database', "key": "toy"}

    def test_modules_that_need_each_other_get_what_is_there(self, tmp_path: Path) -> None:
        one = "function(module,exports,require){exports.a=1;exports.fromTwo=require('two').b}"
        two = "function(module,exports,require){exports.b=require('one').a+1}"
        text = script([("one", 0, {"two": "two"}, one), ("two", 0, {"one": "one"}, two)])
        modules = [bundle(tmp_path, "toy", {"adaptor x@1": text}, "one")]
        assert run(modules, "return loader.instance().get('toy').fromTwo")["value"] == 2

    def test_nodes_own_modules_are_bound_by_name_and_as_a_whole(self, tmp_path: Path) -> None:
        use = "const os=__import('os');module.exports={x:[os.EOL,os.default===process.getBuiltinModule('os')]}"
        code = f"function(module,exports,require,f,d,__namespace,__import){{{use}}}"
        modules = [bundle(tmp_path, "toy", {"adaptor x@1": script([("toy", 1, {"os": "node:os"}, code)])}, "toy")]
        assert run(modules, "return loader.instance().get('toy').x")["value"] == ["\n", True]


class TestInterop:
    """What a job sees of packages made by old compilers (jobs-and-runtime §2.10)."""

    @pytest.mark.parametrize(
        ("exports", "names"),
        [
            ("Object.defineProperty(exports,'__esModule',{value:true});exports.default={get:1,post:2};exports.Adaptor={}", ["get", "post"]),
            ("exports.fn=1;exports.each=2", ["each", "fn"]),
            ("Object.defineProperty(exports,'__esModule',{value:true});exports.fn=1", ["fn"]),
        ],
    )
    def test_a_commonjs_package_gives_the_same_names_bundled_and_unbundled(self, tmp_path: Path, exports: str, names: list[str]) -> None:
        code = script([("toy", 0, {}, f"function(module,exports){{{exports}}}")])
        bundled = run([bundle(tmp_path / "b", "toy", {"adaptor x@1": code}, "toy")], "return loader.names('toy')")
        write(tmp_path / "f", {"package.json": '{"main": "index.js"}', "index.js": f"'use strict';{exports}"})
        unbundled = run([folder_module(tmp_path / "f")], "return loader.names('x')")
        assert bundled["value"] == unbundled["value"] == names

    def test_a_lone_default_object_is_the_adaptor(self, tmp_path: Path) -> None:
        write(tmp_path, {"package.json": '{"type": "module"}', "index.js": "export default { get: 1 }"})
        assert run([folder_module(tmp_path)], "return loader.names('x')")["value"] == ["get"]


class TestFolders:
    """ES module first, then with .js, then CommonJS (adaptors.md §7.3)."""

    def test_an_es_module(self, tmp_path: Path) -> None:
        write(tmp_path, {"package.json": '{"type": "module"}', "index.js": "export const b = 1, a = 2; export default 3"})
        assert run([folder_module(tmp_path)], "return loader.names('x')")["value"] == ["a", "b"]

    def test_an_import_without_extension_is_found(self, tmp_path: Path) -> None:
        write(tmp_path, {"package.json": '{"type": "module"}', "index.js": "import set from 'dep/set'; export const a = set"})
        write(tmp_path / "node_modules/dep", {"package.json": '{"name": "dep"}', "set.js": "module.exports = 7"})
        assert run([folder_module(tmp_path)], "return loader.instance().get('x').a")["value"] == 7

    def test_commonjs_when_the_es_module_fails(self, tmp_path: Path) -> None:
        package = {
            "type": "module",
            "main": "dist/index.cjs",
            "exports": {".": {"import": "./dist/index.js", "require": "./dist/index.cjs"}},
        }
        broken = "export const a = 1; throw new Error('Dynamic require of \"fs\" is not supported')"
        write(tmp_path, {"package.json": json.dumps(package), "dist/index.js": broken, "dist/index.cjs": "exports.fromCommonJS = 1"})
        assert run([folder_module(tmp_path, "dist/index.js")], "return loader.names('x')")["value"] == ["fromCommonJS"]

    def test_when_nothing_helps_both_reasons_are_told(self, tmp_path: Path) -> None:
        write(tmp_path, {"package.json": '{"type": "module"}', "index.js": "import 'not-there'; export const a = 1"})
        error = run([folder_module(tmp_path)], "return 1")["error"]
        assert error.startswith("Failed to import module \"x\"\nas ES module: Cannot find package 'not-there'")
        assert "as CommonJS: " in error

    def test_a_folder_is_loaded_once_and_its_files_are_the_adaptors(self, tmp_path: Path) -> None:
        write(tmp_path, {"package.json": '{"type": "module"}', "index.js": "export const state = {}"})
        file = tmp_path / "index.js"
        program = f"const same = loader.instance().get('x') === loader.instance().get('x'); return [same, loader.classify('file://{file}')]"
        assert run([folder_module(tmp_path)], program)["value"] == [True, "adaptor"]
