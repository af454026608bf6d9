"""The other commands, each from outside."""

from __future__ import annotations

import json
import re

import pytest

from cli.conftest import CommandLine
from kivuko import __version__
from kivuko.cli.commands import COMMANDS

FN = "const fn = f => s => f(s);\n"
DOCUMENT = {
    "name": "@openfn/language-common",
    "version": "3.3.4",
    "functions": [
        {
            "name": "fn",
            "type": "function",
            "parameters": [{"name": "func", "optional": False, "type": "any"}],
            "description": "A custom operation.",
            "examples": [{"code": "fn(state => state)", "caption": "Cap"}],
        },
        {"name": "each", "type": "function", "parameters": [{"name": "dataSource"}, {"name": "operation"}], "description": "Scopes."},
    ],
    "namespaces": [],
}


@pytest.mark.parametrize("word", ["--version", "-v"])
def test_the_version_alone(kivuko: CommandLine, word: str) -> None:
    assert kivuko(word).out == f"{__version__}\n"
    assert kivuko("execute", "a.js", word).out == f"{__version__}\n"


def test_the_versions_of_the_parts(kivuko: CommandLine) -> None:
    text = kivuko("version", "-l", "none").out
    assert "[CLI] ♦ Versions:" in text
    assert all(re.search(rf"▸ {part}\s+\d+\.\d+\.\d+", text) for part in ("node.js", "cli", "runtime", "compiler"))
    assert set(json.loads(kivuko("version", "--json").out)["versions"]) == {"node.js", "cli", "runtime", "compiler"}
    line = json.loads(kivuko("version", "--log-json").out)
    assert set(line["message"][0]["versions"]) == {"node.js", "cli", "runtime", "compiler"}


@pytest.mark.parametrize("words", [("--help",), ("help",), ("-h",)])
def test_the_general_help_names_every_command_that_is_there_and_no_other(kivuko: CommandLine, words: tuple[str, ...]) -> None:
    text = kivuko(*words).out
    for entry in COMMANDS:
        assert (f"kivuko {' '.join(entry.words)}" in text) or entry.hidden
    for absent in ("pull", "deploy", "project", "apollo", "docgen"):
        assert f"kivuko {absent}" not in text


@pytest.mark.parametrize("entry", [entry for entry in COMMANDS if entry.words != ("help",)], ids=lambda entry: " ".join(entry.words))
def test_every_command_explains_itself(kivuko: CommandLine, entry: object) -> None:
    words = entry.words  # type: ignore[attr-defined]
    by_flag, by_command = kivuko(*words, "--help"), kivuko("help", *words)
    assert by_flag.exit == by_command.exit == 0
    assert f"kivuko {words[0]}" in by_flag.out
    assert "--log-json" in by_flag.out


def test_the_help_of_a_group_explains_its_commands(kivuko: CommandLine) -> None:
    assert "kivuko adaptor new" in kivuko("adaptor", "--help").out
    assert "kivuko adaptor test" in kivuko("help", "adaptor").out


def test_flags_may_stand_before_the_command(kivuko: CommandLine) -> None:
    kivuko.write("a.js", FN + "fn(s => s)")
    assert "export default [fn(s => s)];" in kivuko("-l", "info", "compile", "a.js").out


def test_the_self_test_answers_42_or_what_it_is_given(kivuko: CommandLine) -> None:
    done = kivuko("test")
    assert done.exit == 0
    assert "Running test workflow..." in done.out
    assert "[JOB] ℹ Starting computer..." in done.out
    assert "[CLI] ✔ Result: 42" in done.out
    assert "Result: 33" in kivuko("test", "-S", '{"data": {"answer": 33}}').out
    assert json.loads(kivuko("test", "--json").out) == {"exit": 0, "answer": 42}


def test_compile_prints_the_module_or_writes_it_into_new_folders(kivuko: CommandLine) -> None:
    kivuko.write("a.js", FN + "fn(s => s)")
    assert "[CLI] ✔ Compiled expression from a.js" in kivuko("compile", "a.js").out
    done = kivuko("compile", "a.js", "-o", "x/y/out.js")
    assert "Compiled to x/y/out.js" in done.out
    assert (kivuko.folder / "x/y/out.js").read_text().endswith("export default [fn(s => s)];")
    assert kivuko("compile", "a.js", "-l", "none").out.endswith("export default [fn(s => s)];\n")
    assert json.loads(kivuko("compile", "a.js", "--json").out)["code"].endswith("export default [fn(s => s)];")


def test_compile_writes_its_file_also_when_it_is_asked_to_print(kivuko: CommandLine) -> None:
    kivuko.write("a.js", "fn(s => s)")
    done = kivuko("compile", "a.js", "-O", "-o", "x.js")
    assert "⚠ -O means nothing here: -o writes the result to x.js" in done.out
    assert "Result:" not in done.out
    assert (kivuko.folder / "x.js").read_text() == "export default [fn(s => s)];"


def test_compile_gives_a_workflow_with_compiled_steps_and_source_maps(kivuko: CommandLine) -> None:
    kivuko.write("w.json", {"workflow": {"steps": [{"id": "a", "expression": FN + "fn($.x)", "next": "b"}, {"id": "b"}]}})
    kivuko("compile", "w.json", "-o", "out.json")
    plan = kivuko.read("out.json")
    step = plan["workflow"]["steps"][0]
    assert "fn(state => state.x)" in step["expression"]
    assert step["sourceMap"]["version"] == 3
    assert step["sourceMap"]["operations"] == [{"name": "fn", "line": 2, "order": 1}]
    assert plan["options"] == {}


def test_compile_writes_adaptors_in_their_full_form(kivuko: CommandLine) -> None:
    kivuko.write("my/package.json", {"name": "@openfn/language-my", "version": "1.0.0", "type": "module", "main": "index.js"})
    kivuko.write("my/index.js", "export const hello = () => s => s;")
    kivuko.write("w.json", {"workflow": {"steps": [{"id": "a", "adaptor": "my=./my", "expression": "hello()"}]}})
    assert kivuko("compile", "w.json", "-o", "out.json").exit == 0
    step = kivuko.read("out.json")["workflow"]["steps"][0]
    assert step["adaptors"] == ["@openfn/language-my=./my"]
    assert step["expression"].startswith('import { hello } from "@openfn/language-my";')


def test_a_compiled_workflow_runs_like_its_source(kivuko: CommandLine) -> None:
    kivuko.write("w.json", {"workflow": {"steps": [{"id": "a", "expression": FN + "fn(s => ({ ...s, n: 1 }))"}]}})
    kivuko("compile", "w.json", "-o", "compiled.json")
    done = kivuko("compiled.json", "-o", "result.json")
    assert done.exit == 0, done.out
    assert kivuko.read("result.json")["n"] == 1


def test_a_compiled_workflow_fails_at_the_lines_of_its_source(kivuko: CommandLine) -> None:
    kivuko.write("w.json", {"workflow": {"steps": [{"id": "a", "expression": FN + "\n\nfn(s => {\n  return s.x.y;\n})"}]}})
    kivuko("compile", "w.json", "-o", "compiled.json")
    assert "[R/T] ✘ 5:   return s.x.y;" in kivuko("compiled.json").out
    assert kivuko.read("output.json")["errors"]["a"]["pos"] == {"line": 5, "column": 14, "src": "  return s.x.y;"}


def test_the_list_of_adaptors_is_a_tree(kivuko: CommandLine) -> None:
    repo = kivuko.folder / "r"
    assert "No packages installed" in kivuko("repo", "list", "--repo-dir", "./r").out
    dependencies = {"@openfn/language-my_10.0.0": "1", "@openfn/language-my_9.0.0": "1", "@openfn/language-other_1.0.0": "1"}
    kivuko.write("r/package.json", {"dependencies": dependencies})
    done = kivuko("repo", "--repo-dir", "./r")
    assert "Repo working directory is: ./r" in done.out
    assert "├─ @openfn/language-my\n│  ├─ 9.0.0\n│  └─ 10.0.0\n├─ @openfn/language-other\n│  └─ 1.0.0" in done.out
    listed = json.loads(kivuko("repo", "list", "--repo-dir", "./r", "--json").out)
    assert listed["packages"]["@openfn/language-my"] == ["9.0.0", "10.0.0"]
    assert listed["folder"] == str(repo)


def test_what_is_installed_already_is_said_to_be_so(kivuko: CommandLine) -> None:
    package = {"name": "@openfn/language-my", "version": "1.0.0", "main": "index.js"}
    kivuko.write("r/package.json", {"dependencies": {"@openfn/language-my_1.0.0": "npm:@openfn/language-my@1.0.0"}})
    kivuko.write("r/node_modules/@openfn/language-my_1.0.0/package.json", package)
    kivuko.write("r/node_modules/@openfn/language-my_1.0.0/index.js", "exports.hello = () => 'hi';")
    nowhere = {"npm_config_registry": "http://127.0.0.1:9", "npm_config_fetch_retries": "0"}
    done = kivuko("repo", "install", "-a", "my@1.0.0", "--repo-dir", "./r", env=nowhere)
    assert done.exit == 0, done.out
    assert "[CLI] ♦ Skipping @openfn/language-my@1.0.0 as already installed" in done.out


def test_cleaning_asks_first_and_never_removes_where_one_works(kivuko: CommandLine) -> None:
    kivuko.write("r/package.json", {"name": "openfn-repo", "dependencies": {}})
    kivuko.write("precious.txt", "keep me")
    declined = kivuko("repo", "clean", "--repo-dir", "./r", stdin="n\n")
    assert declined.exit == 1
    assert "This will remove everything at ./r" in declined.err
    assert (kivuko.folder / "r").exists()
    for mine in (".", "..", "/"):
        assert kivuko("repo", "clean", "-f", "--repo-dir", mine).exit == 1
    assert (kivuko.folder / "precious.txt").exists()
    assert "Repo cleaned" in kivuko("repo", "clean", "--repo-dir", "./r", stdin="y\n").out
    assert not (kivuko.folder / "r").exists()


def test_docs_list_operations_and_explain_one(kivuko: CommandLine) -> None:
    kivuko.write("r/docs/@openfn/language-common@3.3.4.json", DOCUMENT)
    listed = kivuko("docs", "common@3.3.4", "--repo-dir", "./r").out
    assert "♦ Available functions:" in listed
    assert "## @openfn/language-common 3.3.4\n\n  each (dataSource, operation)\n  fn (func)" in listed
    assert "kivuko docs @openfn/language-common <fn>" in listed
    page = kivuko("docs", "common@3.3.4", "fn", "--repo-dir", "./r").out
    assert "## fn(func)\n\nA custom operation.\n\n### Usage Examples\n\nCap\n\nfn(state => state)\n\n### API Reference" in page
    assert "https://docs.openfn.org/adaptors/packages/common-docs#fn" in page
    assert "### Usage Examples\n\nNone" in kivuko("docs", "common@3.3.4", "each", "--repo-dir", "./r").out
    unknown = kivuko("docs", "common@3.3.4", "eech", "--repo-dir", "./r")
    assert unknown.exit == 1
    assert "Failed to find eech in @openfn/language-common" in unknown.out
    assert "Did you mean each?" in unknown.out


def test_docgen_tells_where_the_document_is(kivuko: CommandLine) -> None:
    kivuko.write("r/docs/@openfn/language-common@3.3.4.json", DOCUMENT)
    done = kivuko("docgen", "common@3.3.4", "--repo-dir", "./r", "--json")
    assert json.loads(done.out) == DOCUMENT
    assert str(kivuko.folder / "r/docs/@openfn/language-common@3.3.4.json") in done.err


def test_metadata_asks_once_and_then_reads_what_was_kept(kivuko: CommandLine) -> None:
    kivuko.write("my/package.json", {"name": "@openfn/language-my", "version": "1.0.0", "type": "module", "main": "index.js"})
    kivuko.write("my/index.js", "let n = 0; export const metadata = c => ({ name: 'm', user: c.user, at: Date.now(), children: [] });")
    state = '{"configuration": {"user": "bob"}}'
    first = kivuko("metadata", "-a", "my=./my", "-S", state, "--json")
    assert first.exit == 0, first.err
    assert "Generating metadata" in first.err
    found = json.loads(first.out)
    assert found["metadata"]["user"] == "bob"
    assert re.fullmatch(r"\d{4}-.*Z", found["metadata"]["created"])
    assert json.loads(kivuko("metadata", "-a", "my=./my", "-S", state, "--json").out) == found
    other = json.loads(kivuko("metadata", "-a", "my=./my", "-S", '{"configuration": {"user": "ada"}}', "--json").out)
    assert (other["metadata"]["user"], other["file"]) != ("bob", found["file"])
    again = json.loads(kivuko("metadata", "-a", "my=./my", "-S", state, "--force", "--json").out)
    assert again["file"] == found["file"]
    assert again["metadata"]["created"] > found["metadata"]["created"]


def test_metadata_of_an_adaptor_that_has_none_ends_with_1(kivuko: CommandLine) -> None:
    kivuko.write("my/package.json", {"name": "@openfn/language-my", "version": "1.2.3", "type": "module", "main": "index.js"})
    kivuko.write("my/index.js", "export const fn = f => s => f(s);")
    done = kivuko("metadata", "-a", "my=./my", "-S", '{"configuration": {"a": 1}}', "--repo-dir", "./r")
    assert done.exit == 1
    assert "No metadata helper found" in done.out
    assert kivuko.read("r/meta/unsupported.json")["@openfn/language-my"]["majorMinor"] == "1.2"


def test_doctor_tells_how_this_machine_stands_and_shows_no_secret(kivuko: CommandLine) -> None:
    kivuko.write(".env", "MY_TOKEN=verysecretvalue\nHOME=/elsewhere\n")
    done = kivuko("doctor", "--json")
    report = json.loads(done.out)
    assert "verysecretvalue" not in done.out + done.err
    found = {check["what"]: check for check in report["checks"]}
    assert {"Python", "Node.js", "npm", "a job", "folder of adaptors", ".env", "sandbox: landlock"} <= set(found)
    assert found["a job"]["verdict"] == "ok", found["a job"]
    assert found[".env"]["found"] == "2 variables; overrides HOME"
    assert done.exit == (0 if report["ok"] else 1)
    assert all(check["fix"] for check in report["checks"] if check["verdict"] != "ok")


def test_doctor_says_how_to_mend_a_node_that_is_none(kivuko: CommandLine) -> None:
    done = kivuko("doctor", env={"KIVUKO_NODE": "/nowhere/node"})
    assert done.exit == 1
    assert "/nowhere/node" in done.out
    assert "KIVUKO_NODE" in done.out
    assert "Traceback" not in done.out + done.err


def test_doctor_names_an_adaptor_that_is_listed_but_gone(kivuko: CommandLine) -> None:
    kivuko.write("r/package.json", {"dependencies": {"@openfn/language-my_1.0.0": "1", "lodash_4.0.0": "1"}})
    done = kivuko("doctor", "--repo-dir", "./r")
    assert done.exit == 1
    assert "✘ @openfn/language-my@1.0.0: @openfn/language-my@1.0.0 is not installed." in done.out
    assert "repo install -a @openfn/language-my@1.0.0" in done.out
    assert "lodash" not in done.out


def test_a_new_adaptor_runs_at_once_and_passes_its_own_tests(kivuko: CommandLine) -> None:
    made = kivuko("adaptor", "new", "my-system")
    assert made.exit == 0, made.out
    package = kivuko.read("my-system/package.json")
    assert package["name"] == "@openfn/language-my-system"
    assert "{{" not in "".join(path.read_text("utf-8", "replace") for path in (kivuko.folder / "my-system").rglob("*") if path.is_file())
    logo = (kivuko.folder / "my-system/assets/square.png").read_bytes()
    assert logo[:8] == b"\x89PNG\r\n\x1a\n"
    assert (int.from_bytes(logo[16:20]), int.from_bytes(logo[20:24])) == (256, 256)
    run = kivuko("my-system/job.js", "-a", "my-system=./my-system")
    assert "[JOB] ℹ Hello, Ada!" in run.out
    tested = kivuko("adaptor", "test", "my-system")
    assert tested.exit == 0, tested.out + tested.err
    assert "Loads; jobs can use execute, fn, get, greet" in tested.out
    assert "Tests passed" in tested.out
    assert kivuko("adaptor", "new", "my-system").exit == 1


def test_an_adaptor_with_a_wrong_schema_or_a_failing_test_does_not_pass(kivuko: CommandLine) -> None:
    kivuko("adaptor", "new", "x")
    kivuko.write("x/configuration-schema.json", {"type": "objekt", "properties": {"a": {"type": "text", "title": 5}}})
    wrong = kivuko("adaptor", "test", "x")
    assert wrong.exit == 1
    assert '"type" must be "object"' in wrong.out
    assert "properties.a" in wrong.out
    kivuko.write("x/configuration-schema.json", {"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "properties": {}})
    kivuko.write("x/test/more.test.js", "import { test } from 'node:test'; test('fails', () => { throw new Error('on purpose'); });")
    failing = kivuko("adaptor", "test", "x")
    assert failing.exit == 1
    assert "on purpose" in failing.out


def test_an_adaptor_that_does_not_load_does_not_pass(kivuko: CommandLine) -> None:
    kivuko("adaptor", "new", "x")
    kivuko.write("x/src/index.js", "export const a = ;")
    done = kivuko("adaptor", "test", "x", "--json")
    assert done.exit == 1
    assert "does not load" in json.loads(done.out)["problems"][0]


def test_challenges_that_are_not_written_yet_are_explained(kivuko: CommandLine) -> None:
    done = kivuko("challenges", "check", "1..2", "--json")
    assert done.exit == 1
    report = json.loads(done.out)
    assert (report["solved"], report["of"]) == (0, 2)
    assert "hello.js" in report["challenges"][0]["hints"][0]
    assert "getUsers.js" in report["challenges"][1]["hints"][0]
    assert "baseUrl" in report["challenges"][1]["hints"][1]
