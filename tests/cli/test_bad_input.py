"""Bad input gives one clear message (what, where, what to do), the right exit code, and loses nothing."""

from __future__ import annotations

import json

import pytest

from cli.conftest import CommandLine, Done

FN = "const fn = f => s => f(s);\n"
KEPT = '{"kept": true}'


def refused(kivuko: CommandLine, *words: str, exit_code: int = 1, stdin: str = "") -> str:
    """The words of a call that must fail before anything runs: an old output file stays as it is, and no stack trace is shown."""
    kivuko.write("output.json", KEPT)
    done = kivuko(*words, stdin=stdin)
    assert done.exit == exit_code, done.out + done.err
    assert (kivuko.folder / "output.json").read_text() == KEPT
    said = done.out + done.err
    assert "Traceback" not in said
    assert "completed in" not in said
    return said


def normal(kivuko: CommandLine) -> Done:
    """A run that must be correct whatever went before."""
    kivuko.write("normal.js", FN + "fn(s => ({ ...s, fine: true }))")
    done = kivuko("normal.js", "-o", "normal.json")
    assert kivuko.read("normal.json")["fine"] is True
    return done


@pytest.mark.parametrize(
    ("files", "words", "said"),
    [
        ({}, ["nope.js"], ["Expression not found", "Failed to load the expression from nope.js", "Critical error: aborting command"]),
        ({}, ["nope.json"], ["Workflow not found", "Failed to load a workflow from nope.json"]),
        ({}, ["nope.yaml"], ["ENOENT", "nope.yaml"]),
        ({"w.json": "{nope"}, ["w.json"], ["Invalid JSON in workflow", "w.json", "line 1"]),
        ({"w.yaml": "steps: [1,\n x: }"}, ["w.yaml"], ["Invalid YAML in workflow", "line 2"]),
        ({"w.json": "[]"}, ["w.json"], ["execution plan"]),
        ({"w.json": "{}"}, ["w.json"], ["steps"]),
        ({"a.js": "fn(s => )"}, ["a.js"], ["Failed to compile job", "Check the syntax of the job expression:", "1 | fn(s => )"]),
        ({"a.js": "$.data"}, ["a.js"], ["Failed to compile job", "Lazy State Error", "ERROR DETAILS:", "FIX HINT:"]),
        ({"a.js": FN}, ["a.js", "-s", "nope.json"], ["Error loading state from nope.json", "nothing was run"]),
        ({"a.js": FN, "s.json": "{\n nope}"}, ["a.js", "-s", "s.json"], ["Error loading state from s.json", "line 2"]),
        ({"a.js": FN}, ["a.js", "-S", "nope"], ["Failed to load state from stdin"]),
        ({"a.js": FN}, ["a.js", "-S", "[1]"], ["no object"]),
        ({"a.js": FN}, ["a.js", "--start", "zzz"], ["Error: start step not found"]),
        ({"a.js": FN, "f": ""}, ["a.js", "-o", "f/x.json"], ["Cannot write to f/x.json", "-o"]),
        ({"a.js": FN, "d/x": ""}, ["a.js", "-o", "d"], ["Cannot write to d", "folder"]),
        ({"a.js": FN}, ["a.js", "--memory", "1"], ["--memory", "64"]),
        ({"a.js": FN}, ["a.js", "--globals", "g.js"], ["File not found for globals: g.js"]),
        ({"a.js": FN}, ["a.js", "-a", "not a name!"], ["does not name an adaptor"]),
        ({"a.js": FN}, ["a.js", "-a", "x=./nowhere"], ["nowhere"]),
        ({"d/a.js": FN}, ["d"], ["d is a folder", "d/a.js"]),
        ({"workflow.json": "{}"}, ["workflw"], ['Could not find Workflow "workflw"', "Did you mean workflow.json?"]),
        ({}, ["complie"], ["Did you mean compile?"]),
        ({"a.txt": ""}, ["a.txt"], ["neither a job nor a workflow"]),
        ({"a.js": FN}, ["a.js", "--adaptr", "x"], ["Unknown argument: adaptr", "Did you mean --adaptor"]),
        ({"a.js": FN}, ["a.js", "-t", "soon"], ["Invalid value for -t: soon"]),
        ({"a.js": FN}, ["a.js", "-o"], ["Not enough arguments following: o"]),
        ({}, ["challenges"], ["challenges needs one of: challenges serve, challenges check"]),
        ({}, ["challenges", "check", "9"], ["There is no challenge 9"]),
        ({}, ["docs"], ["Not enough non-option arguments: got 0, need at least 1"]),
        ({}, ["version", "surplus"], ["Unknown argument: surplus"]),
        ({}, ["metadata", "-a", "x=./x", "-S", "{}"], ["ERROR: Invalid configuration passed"]),
        ({}, ["adaptor", "new", "Bad Name"], ["cannot be the name of an adaptor"]),
        ({}, ["adaptor", "new", "x", "--lang", "py"], ["py"]),
        ({}, ["compile"], ["ERROR: no path provided!"]),
        ({}, ["compile", "nope.js"], ["Failed to compile job"]),
        ({"a.js": "foo(1)"}, ["compile", "a.js", "-a", "zzz"], ["not installed", "repo install -a"]),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else None,
)
def test_what_cannot_be_used_is_refused_before_anything_runs(
    kivuko: CommandLine, files: dict[str, str], words: list[str], said: list[str]
) -> None:
    for name, content in files.items():
        kivuko.write(name, content)
    answer = refused(kivuko, *words)
    for text in said:
        assert text in answer


@pytest.mark.parametrize(
    ("words", "option", "said"),
    [
        (["a.js", "-l", "bogus"], "execute.log", "Unknown log level. Valid levels are none, debug, info and default."),
        (["a.js", "-l", "x=info"], "execute.log", "Unknown log component."),
        (["a.js", "--sanitize", "bogus"], "execute.sanitize", "Unknown sanitize value provided: bogus"),
        (["a.js", "--credentials", "nope.json"], "execute.credentials", "Credential map not found at"),
        (["a.js", "-m"], "execute.use-adaptors-monorepo", "OPENFN_ADAPTORS_REPO env var is undefined"),
        (["a.js", "-w", "x"], "execute.workspace", "--workspace or --workflow"),
        (["compile", "a.js", "-w"], "compile.workspace", "--workspace or --workflow"),
        (["docgen", "@openfn/language-common"], "docgen.specifier", "No version number detected"),
    ],
)
def test_an_option_with_a_value_it_cannot_have_ends_with_9(kivuko: CommandLine, words: list[str], option: str, said: str) -> None:
    kivuko.write("a.js", FN)
    answer = refused(kivuko, *words, exit_code=9)
    assert said in answer
    assert f"Error parsing command arguments: {option}" in answer


def test_without_arguments_the_help_and_what_is_missing_go_to_standard_error(kivuko: CommandLine) -> None:
    done = kivuko()
    assert (done.exit, done.out) == (1, "")
    assert "Not enough non-option arguments: got 0, need at least 1" in done.err
    assert "kivuko compile" in done.err


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        ({"steps": [{"id": "a", "expression": "fn(s => s)", "next": "b"}, {"id": "b", "next": "a"}]}, "Circular dependency"),
        ({"steps": [{"id": "a", "expression": FN, "next": {"zz": True}}]}, "Cannot find job: zz"),
        ({"steps": [{"id": "a", "expression": FN}], "options": {"start": "zz"}}, "Could not find start job: zz"),
        ({"steps": [{"id": "a", "expression": FN, "next": {"b": "state."}}, {"id": "b"}]}, "Failed to compile edge condition a->b"),
        ({"steps": [{"id": "a", "expression": "./nope.js"}]}, "File not found for job a: ./nope.js"),
        ({"steps": [{"id": "a", "expression": FN, "configuration": "cfg.json"}]}, "File not found for job configuration a: cfg.json"),
        ({"steps": [{"id": "a", "expression": "fn(s => )"}]}, "Failed to compile job a"),
    ],
)
def test_a_workflow_that_makes_no_sense_is_refused(kivuko: CommandLine, plan: dict[str, object], said: str) -> None:
    kivuko.write("w.json", plan)
    assert said in refused(kivuko, "w.json")


@pytest.mark.parametrize(("key", "said"), [("foo", 'Invalid key "foo" in step a'), ("adaptorz", 'Invalid key "adaptorz" in step a')])
def test_validate_refuses_keys_that_mean_nothing(kivuko: CommandLine, key: str, said: str) -> None:
    kivuko.write("w.json", {"workflow": {"steps": [{"id": "a", key: 1, "expression": "export default []"}]}})
    assert said in refused(kivuko, "w.json", "--validate")


@pytest.mark.parametrize(
    ("job", "flags", "exit_code", "said"),
    [
        ("fn(s => nope(s))", [], 1, "ReferenceError: nope is not defined"),
        ("fn(s => { s.self = s; return s; })", [], 0, "State written to"),
        ("fn(s => ({ ...s, big: 10n }))", [], 0, "BigInt"),
        ("fn(s => ({ ...s, f() {}, data: { g: () => 1 } }))", [], 0, "State written to"),
        ("fn(s => { while (true); })", ["-t", "700"], 1, "Timeout expired (700ms)"),
        ("fn(s => new Promise(() => {}))", ["-t", "700"], 1, "Timeout expired (700ms)"),
        ("fn(s => { const a = []; while (true) a.push(new Array(1e6).fill(1)); })", ["--memory", "128"], 1, "memory"),
        ("fn(s => { throw null; })", [], 0, "TypeError"),
        ("fn(s => { Promise.reject(new Error('lost')); return new Promise(() => {}); })", [], 1, "lost"),
        ("fn(s => { process.exit(3); })", [], 1, "process is not defined"),
    ],
)
def test_a_job_that_misbehaves_is_told_and_the_next_run_is_correct(
    kivuko: CommandLine, job: str, flags: list[str], exit_code: int, said: str
) -> None:
    kivuko.write("a.js", FN + job)
    done = kivuko("a.js", *flags)
    assert done.exit == exit_code, done.out + done.err
    assert said in done.out
    assert "Traceback" not in done.out + done.err
    normal(kivuko)


def test_a_condition_that_throws_is_named(kivuko: CommandLine) -> None:
    steps = [{"id": "a", "expression": FN + "fn(s => s)", "next": {"b": "state.no.where"}}, {"id": "b", "expression": FN}]
    kivuko.write("w.json", {"workflow": {"steps": steps}})
    done = kivuko("w.json")
    assert done.exit == 1
    assert "where" in done.out


def test_a_flood_of_log_lines_reaches_the_screen_whole(kivuko: CommandLine) -> None:
    kivuko.write("a.js", FN + "fn(s => { for (let i = 0; i < 20000; i++) console.log('line ' + i); return s; })")
    done = kivuko("a.js")
    assert done.exit == 0
    assert done.out.count("[JOB] ℹ line ") == 20000


def test_a_large_state_passes_through(kivuko: CommandLine) -> None:
    kivuko.write("s.json", {"data": {"list": ["x" * 100] * 50_000}})
    kivuko.write("a.js", FN + "fn(s => ({ ...s, count: s.data.list.length }))")
    assert kivuko("a.js", "-s", "s.json", "-o", "out.json").exit == 0
    assert kivuko.read("out.json")["count"] == 50_000


def test_a_missing_adaptor_is_told_with_the_way_to_install_it(kivuko: CommandLine) -> None:
    kivuko.write("a.js", "fn(s => s)")
    done = kivuko("a.js", "-a", "common@1.0.0", "--no-autoinstall")
    assert done.exit == 1
    assert 'Failed to import module "@openfn/language-common"' in done.out
    assert "repo install -a @openfn/language-common@1.0.0" in done.out


def test_the_way_to_a_failure_is_shown_only_to_who_looks_for_it(kivuko: CommandLine) -> None:
    assert "Traceback" in kivuko("nope.js", "-l", "debug").err
    assert "Traceback" not in kivuko("nope.js").err


def test_a_refusal_in_json_mode_is_told_on_standard_error_and_in_the_document(kivuko: CommandLine) -> None:
    done = kivuko("nope.js", "--json")
    assert done.exit == 1
    assert "Expression not found" in done.err
    document = json.loads(done.out)
    assert document.keys() == {"exit", "state", "errors", "output_path", "duration_ms", "error"}
    assert (document["exit"], document["state"], document["error"]["code"]) == (1, None, "file_missing")
    assert document["error"]["message"] == "Expression not found"


@pytest.mark.parametrize(
    ("words", "exit_code", "code", "message"),
    [
        (["a.js", "--json", "-l", "loud"], 9, "option_invalid", "Unknown log level"),
        (["a.js", "--json", "--sanitize", "soap"], 9, "option_invalid", "Unknown sanitize value"),
        (["a.js", "--json", "--timout", "5"], 1, "usage", "Unknown argument: timout"),
        (["--json"], 1, "usage", "Not enough non-option arguments"),
        (["compile", "--json"], 1, "usage", "no path provided"),
        (["compile", "nope.js", "--json"], 1, "file_missing", "Expression not found"),
        (["docs", "--json"], 1, "usage", "Not enough non-option arguments"),
        (["docgen", "http", "--json"], 9, "option_invalid", "No version number detected"),
        (["metadata", "-a", "x=./x", "--json"], 1, "input", "Invalid configuration"),
        (["repo", "install", "--json"], 1, "usage", "Not enough non-option arguments"),
        (["challenges", "--json"], 1, "usage", "challenges needs one of"),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, list) else None,
)
def test_every_command_tells_its_failure_as_one_document(
    kivuko: CommandLine, words: list[str], exit_code: int, code: str, message: str
) -> None:
    kivuko.write("a.js", FN)
    done = kivuko(*words)
    document = json.loads(done.out)
    assert (done.exit, document["exit"], document["error"]["code"]) == (exit_code, exit_code, code)
    assert message in document["error"]["message"]
    assert message in done.err
    assert "{program}" not in done.out


def test_of_several_steps_with_one_id_the_last_runs_with_a_warning(kivuko: CommandLine) -> None:
    steps = [{"id": "a", "expression": FN + f"fn(s => ({{ n: {n} }}))"} for n in (1, 2)]
    kivuko.write("w.json", {"workflow": {"steps": steps}})
    done = kivuko("w.json")
    assert done.exit == 0
    assert '⚠ Several steps have the id "a": only the last of them runs' in done.out
    assert kivuko.read("output.json") == {"n": 2}
    assert "Several steps have the id" in kivuko("compile", "w.json").out


@pytest.mark.parametrize(("word", "env"), [("--validate", {}), ("--strict", {}), ("--cache-steps", {"KIVUKO_STRICT": "true"})])
def test_several_steps_with_one_id_are_refused_by_who_looks_strictly(kivuko: CommandLine, word: str, env: dict[str, str]) -> None:
    kivuko.write("w.json", {"workflow": {"steps": [{"id": "a", "expression": FN}, {"id": "a", "expression": FN}]}})
    done = kivuko("w.json", word, env=env)
    assert done.exit == 1
    assert '✘ Several steps have the id "a"' in done.out
    assert not (kivuko.folder / "output.json").exists()


def test_the_document_says_which_line_does_not_compile(kivuko: CommandLine) -> None:
    kivuko.write("w.json", {"workflow": {"steps": [{"id": "a", "expression": FN + "\nfn(s => )"}]}})
    for words in (["w.json"], ["compile", "w.json"]):
        error = json.loads(kivuko(*words, "--json").out)["error"]
        assert (error["code"], error["step"], error["line"], error["column"]) == ("syntax", "a", 3, 9)


def test_the_document_says_where_a_run_crashed(kivuko: CommandLine) -> None:
    steps = [{"id": "a", "expression": FN + "fn(s => s)", "next": "b"}, {"id": "b", "expression": FN + "\nfn(s => nope)"}]
    kivuko.write("w.json", {"workflow": {"steps": steps}})
    error = json.loads(kivuko("w.json", "--json").out)["error"]
    assert (error["name"], error["step"], error["line"], error["column"]) == ("RuntimeCrash", "b", 3, 9)


DEEP = "fn(() => { let deep = {}; for (let n = 0; n < 3000; n += 1) deep = { deep }; return { deep, errors: {} } })"


@pytest.mark.parametrize("words", [(), ("--json",)], ids=["plain", "json"])
def test_a_state_that_is_nested_too_deeply_is_written_and_said(kivuko: CommandLine, words: tuple[str, ...]) -> None:
    kivuko.write("deep.js", FN + DEEP)
    done = kivuko("deep.js", *words)
    said = done.out + done.err
    assert done.exit == 1
    assert "nested too deeply" in said
    assert "Return a flatter state" in said
    assert "Traceback" not in said
    assert (kivuko.folder / "output.json").read_text().count('"deep"') == 3001
    if words:
        document = json.loads(done.out)
        assert (document["exit"], document["state"], document["error"]["message"]) == (
            1,
            None,
            "The final state is nested too deeply to be looked into",
        )


@pytest.mark.parametrize("depth", [400, 700, 3000])
def test_a_deep_state_without_errors_ends_well_or_says_why_not(kivuko: CommandLine, depth: int) -> None:
    kivuko.write("deep.js", FN + DEEP.replace("3000", str(depth)).replace(", errors: {}", ""))
    assert kivuko("deep.js").exit == 0
    done = kivuko("deep.js", "--json")
    document = json.loads(done.out)
    assert "Traceback" not in done.err
    assert document["exit"] == done.exit == (0 if document["state"] else 1)
    assert (document["state"] is None) is ("nested too deeply" in done.err)
