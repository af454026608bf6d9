"""Running jobs and workflows: what comes out, and where it goes."""

from __future__ import annotations

import json
import subprocess

import pytest

from cli.conftest import KIVUKO, CommandLine

FN = "const fn = f => s => f(s);\n"
THREE = {
    "workflow": {
        "name": "My flow",
        "steps": [
            {"id": "a", "name": "First", "expression": FN + "fn(s => ({ ...s, path: [...(s.path ?? []), 'a'] }))", "next": "b"},
            {"id": "b", "name": "Second", "expression": FN + "fn(s => ({ ...s, path: [...(s.path ?? []), 'b'] }))", "next": "c"},
            {"id": "c", "expression": FN + "fn(s => ({ ...s, path: [...(s.path ?? []), 'c'] }))"},
        ],
    }
}


def test_a_job_runs_and_writes_its_state_beside_itself(kivuko: CommandLine) -> None:
    kivuko.write("jobs/a.js", FN + "fn(s => ({ ...s, n: 1 }))")
    done = kivuko("jobs/a.js")
    assert (done.exit, done.err) == (0, "")
    assert "State written to jobs/output.json" in done.out
    assert (kivuko.folder / "jobs/output.json").read_text() == '{\n  "data": {},\n  "n": 1\n}'


def test_the_path_may_follow_the_adaptors(kivuko: CommandLine) -> None:
    kivuko.write("a.js", FN + "fn(s => ({ ...s, n: hello() }))")
    kivuko.write("my/package.json", {"name": "@openfn/language-my", "version": "1.0.0", "type": "module", "main": "index.js"})
    kivuko.write("my/index.js", "export const hello = () => 'hi';")
    done = kivuko("-a", "my=./my", "a.js")
    assert done.exit == 0, done.out
    assert kivuko.read("output.json")["n"] == "hi"


def test_an_edited_adaptor_counts_from_the_next_run(kivuko: CommandLine) -> None:
    kivuko.write("a.js", FN + "fn(s => ({ ...s, n: hello() }))")
    kivuko.write("my/package.json", {"name": "@openfn/language-my", "version": "1.0.0", "type": "module", "main": "index.js"})
    for text in ("first", "second, and longer"):
        kivuko.write("my/index.js", f"export const hello = () => '{text}';")
        assert kivuko("a.js", "-a", "my=./my").exit == 0
        assert kivuko.read("output.json")["n"] == text


def test_the_result_goes_to_standard_output_and_no_file_is_written(kivuko: CommandLine) -> None:
    kivuko.write("a.js", FN + "fn(s => ({ data: 5 }))")
    done = kivuko("a.js", "-O")
    assert '[CLI] ✔ Result:\n[CLI] ♦ {\n  "data": 5\n}' in done.out
    assert not (kivuko.folder / "output.json").exists()


def test_of_two_flags_about_one_matter_the_loser_is_named(kivuko: CommandLine) -> None:
    kivuko.write("a.js", FN + "fn(s => s)")
    kivuko.write("s.json", {"data": "from the file"})
    done = kivuko("a.js", "-O", "-o", "x.json", "-s", "s.json", "-S", '{"data": "from the flag"}')
    assert done.exit == 0
    assert "⚠ -o x.json means nothing here: -O prints the result instead of writing it" in done.out
    assert "⚠ -s s.json means nothing here: -S gives the state" in done.out
    assert '"data": "from the flag"' in done.out
    assert not (kivuko.folder / "x.json").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["w.json", "--only", "a", "--start", "a"], "--only and --start cannot both be followed"),
        (["w.json", "--only", "a", "--end", "c"], "--only and --end cannot both be followed"),
        (["w.json", "--watch", "-S", "-"], "--watch cannot read standard input again"),
        (["w.json", "-e", "a.js"], "Two jobs are named: w.json and, with -e, a.js"),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, list) else None,
)
def test_flags_that_cannot_both_be_followed_are_refused(kivuko: CommandLine, words: list[str], said: str) -> None:
    kivuko.write("w.json", THREE)
    done = kivuko(*words)
    assert done.exit == 1
    assert said in done.out
    assert "FIX HINT" in done.out
    assert not (kivuko.folder / "output.json").exists()


def test_with_log_none_the_result_is_bare_json_for_pipes(kivuko: CommandLine) -> None:
    kivuko.write("a.js", FN + "fn(s => { console.log('noise'); return { data: 'ü' }; })")
    done = kivuko("a.js", "-O", "-l", "none")
    assert json.loads(done.out) == {"data": "ü"}


def test_json_prints_one_document_and_log_lines_go_to_standard_error(kivuko: CommandLine) -> None:
    kivuko.write("a.js", FN + "fn(s => { console.log('noise'); return { data: 5 }; })")
    done = kivuko("a.js", "--json")
    document = json.loads(done.out)
    assert document | {"duration_ms": 0} == {
        "exit": 0,
        "state": {"data": 5},
        "errors": None,
        "output_path": str(kivuko.folder / "output.json"),
        "duration_ms": 0,
    }
    assert "noise" in done.err


def test_json_of_a_failed_step_has_its_error(kivuko: CommandLine) -> None:
    kivuko.write("a.js", FN + "fn(s => { throw new Error('boom'); })")
    document = json.loads(kivuko("a.js", "--json").out)
    assert document["exit"] == 0
    assert document["errors"]["job-1"]["message"] == "boom"


def test_json_of_a_crash_and_of_a_job_that_does_not_compile_names_the_error(kivuko: CommandLine) -> None:
    kivuko.write("crash.js", FN + "fn(s => nope)")
    kivuko.write("broken.js", "fn(s => )")
    crash = json.loads(kivuko("crash.js", "--json").out)
    assert (crash["exit"], crash["state"], crash["error"]["severity"]) == (1, None, "crash")
    broken = json.loads(kivuko("broken.js", "--json").out)
    assert broken["exit"] == 1
    assert "(1:" in broken["error"]["message"]


def test_a_step_without_state_leaves_an_empty_file_and_a_warning_with_the_line(kivuko: CommandLine) -> None:
    kivuko.write("a.js", FN + "fn(s => s);\nfn(s => { s.data = 1; })")
    done = kivuko("a.js")
    assert done.exit == 0
    assert (kivuko.folder / "output.json").read_bytes() == b""
    assert "line 3" in done.out
    assert json.loads(kivuko("a.js", "--json").out)["state"] is None


@pytest.mark.parametrize(("flags", "env"), [(["--strict"], {}), ([], {"KIVUKO_STRICT": "true"})])
def test_strict_ends_with_1_when_a_step_failed_and_writes_the_state_all_the_same(
    kivuko: CommandLine, flags: list[str], env: dict[str, str]
) -> None:
    kivuko.write("a.js", FN + "fn(s => { throw new Error('boom'); })")
    assert kivuko("a.js").exit == 0
    assert kivuko("a.js", *flags, env=env).exit == 1
    assert kivuko.read("output.json")["errors"]["job-1"]["message"] == "boom"
    assert kivuko("a.js", "--no-strict", env=env).exit == 0


def test_strict_looks_into_every_leaf(kivuko: CommandLine) -> None:
    steps = [
        {"id": "a", "expression": FN + "fn(s => s)", "next": {"x": True, "y": True}},
        {"id": "x", "expression": FN + "fn(s => s)"},
        {"id": "y", "expression": FN + "fn(s => { throw new Error('in y'); })"},
    ]
    kivuko.write("w.json", {"workflow": {"steps": steps}})
    assert kivuko("w.json").exit == 0
    assert kivuko("w.json", "--strict").exit == 1


def test_the_state_may_come_from_standard_input(kivuko: CommandLine) -> None:
    kivuko.write("a.js", FN + "fn(s => s)")
    assert kivuko("a.js", "-S", "-", stdin='{"data": {"piped": true}}').exit == 0
    assert kivuko.read("output.json") == {"data": {"piped": True}}


def test_a_state_file_beside_the_job_is_pointed_at_but_not_read(kivuko: CommandLine) -> None:
    kivuko.write("a.js", FN + "fn(s => s)")
    kivuko.write("state.json", {"data": {"n": 1}})
    done = kivuko("a.js")
    assert "state.json lies beside the job" in done.out
    assert kivuko.read("output.json") == {"data": {}}


def test_steps_are_cached_and_a_later_run_starts_in_the_middle(kivuko: CommandLine) -> None:
    kivuko.write("w.json", THREE)
    first = kivuko("w.json", "--cache-steps")
    assert f"Cached output written to {kivuko.folder}/.cli-cache/My-flow" in first.out
    assert json.loads((kivuko.folder / ".cli-cache/My-flow/b.json").read_bytes())["path"] == ["a", "b"]
    later = kivuko("w.json", "--start", "c")
    assert 'Loaded cached state for step "c"' in later.out
    assert kivuko.read("output.json")["path"] == ["a", "b", "c"]


def test_a_step_that_cannot_be_cached_is_a_warning_and_the_run_goes_on(kivuko: CommandLine) -> None:
    long = "b" * 300
    steps = [
        {"id": "a", "expression": FN + "fn(s => ({ ...s, a: 1 }))", "next": long},
        {"id": long, "expression": FN + "fn(s => ({ ...s, b: 2 }))", "next": "c"},
        {"id": "c", "expression": FN + "fn(s => ({ ...s, c: 3 }))"},
    ]
    kivuko.write("w.json", {"workflow": {"name": "wf", "steps": steps}})
    done = kivuko("w.json", "--cache-steps")
    assert done.exit == 0
    assert f"⚠ The output of step {long} is not cached: File name too long" in done.out
    assert kivuko.read("output.json").keys() >= {"a", "b", "c"}
    assert sorted(path.name for path in (kivuko.folder / ".cli-cache/wf").iterdir()) == ["a.json", "c.json"]


def test_starting_with_the_cache_on_keeps_the_input_it_needs(kivuko: CommandLine) -> None:
    kivuko.write("w.json", THREE)
    kivuko("w.json", "--cache-steps")
    assert kivuko("w.json", "--start", "b", "--cache-steps").exit == 0
    assert kivuko.read("output.json")["path"] == ["a", "b", "c"]


def test_the_variable_switches_the_cache_on_and_the_flag_off(kivuko: CommandLine) -> None:
    kivuko.write("w.json", THREE)
    always = {"OPENFN_ALWAYS_CACHE_STEPS": "true"}
    kivuko("w.json", "--no-cache-steps", env=always)
    assert not (kivuko.folder / ".cli-cache").exists()
    kivuko("w.json", env=always)
    assert (kivuko.folder / ".cli-cache/My-flow/a.json").exists()


def test_one_step_alone_is_named_in_the_log(kivuko: CommandLine) -> None:
    kivuko.write("w.json", THREE)
    done = kivuko("w.json", "--only", "Second", "-S", '{"path": []}')
    assert 'Only running workflow step "b"' in done.out
    assert kivuko.read("output.json")["path"] == ["b"]


def test_credentials_may_hold_references_to_variables(kivuko: CommandLine) -> None:
    step = {"id": "a", "configuration": "cred", "expression": FN + "fn(s => ({ ...s, user: s.configuration.user }))"}
    kivuko.write("w.json", {"workflow": {"steps": [step]}})
    kivuko.write("creds.yaml", "cred:\n  user: env:THE_USER\n  password: env:THE_PASSWORD\n")
    kivuko.write(".env", "THE_USER=bob\nTHE_PASSWORD=hunter2hunter2\n")
    done = kivuko("w.json", "--credentials", "creds.yaml")
    assert kivuko.read("output.json")["user"] == "bob"
    assert "hunter2hunter2" not in done.out + done.err


def test_a_secret_of_the_state_is_masked_in_every_line(kivuko: CommandLine) -> None:
    kivuko.write(
        "a.js",
        FN + "fn(s => { console.log(s.configuration, 'p=' + s.configuration.password); throw new Error(s.configuration.password); })",
    )
    done = kivuko("a.js", "-S", '{"configuration": {"password": "correct-horse"}}', "-l", "debug")
    assert "correct-horse" not in done.out + done.err


@pytest.mark.parametrize("words", [("-O", "-l", "none"), ("--json",)])
def test_an_empty_job_prints_no_credentials(kivuko: CommandLine, words: tuple[str, ...]) -> None:
    kivuko.write("e.js", "")
    done = kivuko("e.js", *words, "-S", '{"configuration":{"password":"hunter22"},"data":{}}')
    assert (done.exit, "hunter22" in done.out + done.err) == (0, False)


def test_variables_of_dotenv_are_counted_and_can_be_ignored(kivuko: CommandLine) -> None:
    kivuko.write("a.js", FN + "fn(s => s)")
    kivuko.write(".env", "KIVUKO_STRICT=true\nOTHER=1\n")
    assert "Imported 2 env vars from .env file" in kivuko("a.js").out
    assert "Imported" not in kivuko("a.js", env={"IGNORE_DOT_ENV": "1"}).out


def test_globals_are_a_file_or_code(kivuko: CommandLine) -> None:
    kivuko.write("a.js", FN + "fn(s => ({ ...s, n: twice(3) }))")
    kivuko.write("g.js", "export const twice = x => 2 * x;")
    for value in ("g.js", "export const twice = x => 2 * x;"):
        assert kivuko("a.js", "--globals", value).exit == 0
        assert kivuko.read("output.json")["n"] == 6


def test_the_old_form_takes_the_adaptor_from_l_and_the_job_from_e(kivuko: CommandLine) -> None:
    kivuko.write("exp.js", FN + "fn(s => ({ ...s, n: hello() }))")
    kivuko.write("language-my/package.json", {"name": "@openfn/language-my", "version": "1.0.0", "type": "module", "main": "index.js"})
    kivuko.write("language-my/index.js", "export const hello = () => 'old';")
    kivuko.write("s.json", {"data": {}})
    done = kivuko("execute", "-l", "./language-my.Adaptor", "-e", "exp.js", "-s", "s.json", "-o", "out.json")
    assert done.exit == 0, done.out
    assert kivuko.read("out.json")["n"] == "old"


def test_json_lines_are_all_json(kivuko: CommandLine) -> None:
    kivuko.write("a.js", FN + "fn(s => { console.log('x', {a: 1}); throw new Error('e'); })")
    lines = kivuko("a.js", "--log-json", "-l", "debug").out.splitlines()
    parsed = [json.loads(line) for line in lines]
    assert {"level": "info", "name": "JOB"}.items() <= next(line for line in parsed if line["name"] == "JOB").items()
    assert all(len(line["time"]) == 19 for line in parsed)


@pytest.mark.parametrize("name", ["w.yaml", "w.yml"])
def test_workflows_may_be_yaml(kivuko: CommandLine, name: str) -> None:
    kivuko.write(name, f"id: w\nsteps:\n  - id: a\n    expression: |\n      {FN.strip()}\n      fn(s => ({{ ...s, n: 1 }}))\n")
    assert kivuko(name).exit == 0
    assert kivuko.read("output.json")["n"] == 1


def test_the_name_that_it_was_called_by_is_in_its_texts(kivuko: CommandLine) -> None:
    kivuko.write("a.js", FN + "fn(s => s)")
    link = kivuko.folder / "openfn"
    link.symlink_to(KIVUKO)
    done = subprocess.run([link, "a.js"], cwd=kivuko.folder, env=kivuko.environment, capture_output=True, text=True, check=False)
    assert "openfn job.js -a common" in done.stdout
