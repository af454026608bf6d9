"""All six challenges can be solved with the docs' own command lines, and `challenges check` says so."""

from __future__ import annotations

import json

import pytest

from cli.conftest import CommandLine
from systems.adaptor_repo import adaptor_repo

pytestmark = pytest.mark.network

SOLUTIONS = {
    "hello.js": "fn(state => {\n  const greeting = 'Hello, Ada!';\n  console.log(greeting);\n  return { ...state, greeting };\n});",
    "getUsers.js": "get('users');\nfn(state => {\n  console.log(state.data[0]);\n  return state;\n});",
    "covid.js": """get('v3/covid-19/countries');
fn(state => {
  const byRegion = {};
  for (const { continent, country } of state.data) (byRegion[continent] ??= []).push(country);
  return { ...state, byRegion };
});""",
    "comments.js": """get('posts/1/comments');
fn(state => {
  const contacts = state.data.map(({ name, email }) => ({ name, email }));
  console.log(contacts);
  return { ...state, contacts };
});""",
    "error.js": "get('posts/180');",
    "getPosts.js": "get('posts');\nfn(state => ({ ...state, posts: state.data.filter(post => post.userId === 1) }));",
}
CAUGHT = """get('posts/180').catch((error, state) => {
  console.log('Request failed:', error.statusCode ?? error.code);
  return { ...state, failed: true };
});"""


@pytest.fixture
def solved(kivuko: CommandLine) -> CommandLine:
    """A folder with all solutions."""
    kivuko.environment["OPENFN_REPO_DIR"] = str(adaptor_repo("common", "http"))
    # Nobody answers there: what is installed must do, and nothing newer may come into the shared folder.
    kivuko.environment |= {"npm_config_registry": "http://127.0.0.1:9/", "npm_config_fetch_retries": "0"}
    for name, source in SOLUTIONS.items():
        kivuko.write(name, source)
    return kivuko


def check(kivuko: CommandLine, *words: str) -> tuple[int, dict[str, object]]:
    done = kivuko("challenges", "check", *words, "--port", "0", "--json")
    return done.exit, json.loads(done.out)


def test_six_solutions_are_six_of_six(solved: CommandLine) -> None:
    done = solved("challenges", "check", "--port", "0")
    assert "6/6" in done.out, done.out
    assert done.exit == 0


def test_an_error_that_is_caught_and_explained_is_a_solution_too(solved: CommandLine) -> None:
    (solved.folder / "error.js").unlink()
    solved.write("e.js", CAUGHT)
    assert check(solved, "5")[0] == 0


def test_a_wrong_solution_gets_a_hint_and_one_that_does_not_run_its_error(solved: CommandLine) -> None:
    solved.write("getPosts.js", "get('posts');")
    solved.write("comments.js", "get(")
    code, report = check(solved, "4", "6")
    assert code == 1
    hints = {entry["number"]: " ".join(entry["hints"]) for entry in report["challenges"]}  # type: ignore[attr-defined]
    assert "does not run to its end" in hints[4]
    assert "Failed to compile" in hints[4]
    assert "userId 1" in hints[6]
