"""The reference is complete: what the code reads and offers is on a page, and the pages name nothing that is not there."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator

from house.docs.pages import Page
from house.sources import PACKAGE, ROOT, modules
from kivuko.cli.arguments import Option
from kivuko.cli.commands import COMMANDS, load
from kivuko.cli.shared import SHARED_OPTIONS
from kivuko.server.settings import every_setting

DOCS = ROOT / "docs"
DJANGO_SETTINGS = {"KIVUKO_PUBLIC_URL"}
"""Names of ours that are no variables: they are set in code."""
VARIABLE = re.compile(r"(?:KIVUKO|OPENFN)_[A-Z_]+[A-Z]|IGNORE_DOT_?ENV|NO_COLOR|NODE_EXTRA_CA_CERTS|HTTPS?_PROXY|NO_PROXY|TZ")
RUN_ERROR = re.compile(r"""(?:\b(?:RunError|_fault)\(\s*"|RunFault\('|\{ name: ')(\w+)['"], ?(?:severity: )?['"]\w+['"]""")
FLAG = re.compile(r"(?<=\s)--?[a-zA-Z][\w-]*")


def page(name: str) -> Page:
    """A page of the docs."""
    return Page(DOCS / name, (DOCS / name).read_text("utf-8"))


def test_what_the_code_knows_is_written_in_the_reference() -> None:
    done = subprocess.run([sys.executable, DOCS / "write_reference.py", "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_flag_of_every_command_is_in_its_section() -> None:
    reference = page("reference/command-line.md")
    missing = []
    for entry in COMMANDS:
        if entry.words in (("help",), ("repo",)):
            continue
        section = reference.section(" ".join(entry.words))
        missing += [
            f"{entry.words} {flag}" for option in load(entry).options if option.help for flag in _flags(option) if not _names(section, flag)
        ]
    shared = reference.section("Every command")
    missing += [flag for option in SHARED_OPTIONS for flag in _flags(option) if not _names(shared, flag)]
    assert missing == []


def test_every_environment_variable_that_is_read_is_in_the_reference_and_no_other() -> None:
    read = {name for module in modules() for name in _variables(module.tree)} - DJANGO_SETTINGS
    section = page("reference/command-line.md").section("Environment")
    named = set(re.findall(r"`([A-Z_]+)`", section))
    assert named == read


def test_every_setting_of_the_server_is_in_the_reference_and_no_other() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \|", page("reference/settings.md").section("Every setting"), re.MULTILINE)
    named = {name: tuple(re.findall(r"`([A-Z_]+)`", variables)) for name, variables in rows}
    assert named == {each.name: each.variables for each in every_setting()}


def test_every_exit_code_of_the_command_line_is_in_the_reference() -> None:
    section = page("reference/command-line.md").section("Exit codes")
    documented = {int(code) for code in re.findall(r"^\| (\d+) \|", section, re.MULTILINE)}
    assert documented == {0, 1, 9, 130, 141}


def test_every_flag_that_a_page_shows_exists() -> None:
    known = {flag for entry in COMMANDS for option in (*load(entry).options, *SHARED_OPTIONS) for flag in _flags(option)}
    unknown = []
    for path in [ROOT / "README.md", *DOCS.rglob("*.md")]:
        for block in Page(path, path.read_text("utf-8")).blocks():
            lines = [line for line in block.text.splitlines() if "kivuko " in line and block.language == "sh"]
            unknown += [f"{path.name}: {flag}" for line in lines for flag in FLAG.findall(line) if flag not in known]
    assert unknown == []


def test_every_marker_and_every_chore_is_in_the_guide_for_contributors() -> None:
    guide = page("guides/contributing.md")
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["pytest"]["ini_options"]
    markers = {marker.partition(":")[0] for marker in settings["markers"]}
    assert set(re.findall(r"^\| `(\w+)` \|", guide.section("Tests"), re.MULTILINE)) == markers
    assert set(re.findall(r"^\| `make (\w+)` \|", guide.section("Chores"), re.MULTILINE)) == {"test", "lint", "format", "docs", "bench"}


def test_every_error_of_a_run_is_in_the_reference_and_no_other() -> None:
    made = {name for path in PACKAGE.rglob("*") if path.suffix in (".py", ".js") for name in RUN_ERROR.findall(path.read_text("utf-8"))}
    table = page("reference/errors.md").section("Errors of a Run").partition("| name |")[2]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == made


def _flags(option: Option) -> Iterator[str]:
    return (("-" if len(name) == 1 else "--") + name for name in option.names)


def _names(section: str, flag: str) -> bool:
    return bool(re.search(rf"`{re.escape(flag)}[` \[]", section))


def _variables(tree: ast.Module) -> set[str]:
    """The names of environment variables in a module: texts that are such a name and nothing else."""
    texts = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {text for text in texts if isinstance(text, str) and VARIABLE.fullmatch(text)}
