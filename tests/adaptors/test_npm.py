"""npm as a program: what it is asked, what of its words reaches people."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kivuko.adaptors.npm import Npm
from kivuko.adaptors.toolchain import child_environment
from kivuko.engines import find_node
from kivuko.errors import AdaptorNotFound, AdaptorProblem, InstallFailed, InvalidSpecifier, RegistryUnreachable


def npm_that(tmp_path: Path, code: str) -> Npm:
    """An npm whose entry file is a few lines of a test."""
    script = tmp_path / "npm-cli.js"
    script.write_text(code)
    return Npm(find_node(), script)


def failing(tmp_path: Path, code: str, summary: str, detail: str = "") -> Npm:
    answer = json.dumps({"error": {"code": code, "summary": summary, "detail": detail}})
    return npm_that(tmp_path, f"console.log({json.dumps(answer)}); process.exitCode = 1")


def test_a_version_is_looked_up(tmp_path: Path) -> None:
    npm = npm_that(
        tmp_path, "console.log(JSON.stringify(process.argv.slice(2).join(' ') === 'view x@latest version --json' ? '1.2.3' : 0))"
    )
    assert npm.view("x", "latest") == "1.2.3"


def test_of_several_versions_that_match_a_range_the_last_one_counts(tmp_path: Path) -> None:
    assert npm_that(tmp_path, 'console.log(\'["1.0.0", "1.1.0"]\')').view("x", "^1") == "1.1.0"


def test_no_answer_means_no_such_version(tmp_path: Path) -> None:
    with pytest.raises(AdaptorNotFound, match="x that matches '9'"):
        npm_that(tmp_path, "").view("x", "9")


def test_scripts_of_packages_never_run_and_no_lock_file_is_left(tmp_path: Path) -> None:
    npm_that(tmp_path, "require('fs').writeFileSync('asked', process.argv.slice(2).join(' '))").install(tmp_path)
    asked = (tmp_path / "asked").read_text()
    assert asked.startswith("install --ignore-scripts --no-package-lock")
    npm_that(tmp_path, "require('fs').writeFileSync('asked', process.argv.slice(2).join(' '))").install_locked(tmp_path)
    assert (tmp_path / "asked").read_text().startswith("ci --ignore-scripts")


@pytest.mark.parametrize(
    ("code", "summary", "kind", "words"),
    [
        (
            "ETARGET",
            "No matching version found for @openfn/language-common@3.3.5.",
            AdaptorNotFound,
            "does not have @openfn/language-common@3.3.5.",
        ),
        ("ENOTFOUND", "request to https://x failed", RegistryUnreachable, "does not answer (ENOTFOUND)"),
        ("ECONNREFUSED", "connect", RegistryUnreachable, "does not answer"),
        ("ENOSPC", "no space", InstallFailed, "The disk is full"),
        ("EACCES", "permission denied, mkdir '/r'", InstallFailed, "npm may not write: permission denied"),
        ("EINVALIDPACKAGENAME", "bad name", InvalidSpecifier, "refuses the name"),
        ("EWHATEVER", "something else", InstallFailed, "npm failed (EWHATEVER): something else"),
    ],
)
def test_each_failure_is_one_sentence(tmp_path: Path, code: str, summary: str, kind: type[AdaptorProblem], words: str) -> None:
    with pytest.raises(kind) as caught:
        failing(tmp_path, code, summary).install(tmp_path)
    assert words in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.fix
    assert summary in caught.value.details


def test_a_package_that_does_not_exist_is_named(tmp_path: Path) -> None:
    npm = failing(
        tmp_path, "E404", "Not Found - GET https://r/@o%2fx", "The requested resource '@o/x@latest' could not be found or you do not"
    )
    with pytest.raises(AdaptorNotFound, match=r"does not have @o/x@latest\."):
        npm.view("@o/x", "latest")


def test_words_that_are_no_json_are_passed_on(tmp_path: Path) -> None:
    with pytest.raises(InstallFailed, match="npm failed: boom at the end"):
        npm_that(tmp_path, "console.error('first'); console.error('boom at the end'); process.exitCode = 1").install(tmp_path)


def test_a_missing_node_is_said(tmp_path: Path) -> None:
    with pytest.raises(InstallFailed, match="cannot be started"):
        Npm(tmp_path / "no-node", tmp_path / "npm-cli.js").view("x", "latest")


def test_tokens_of_openfn_and_kivuko_do_not_reach_npm() -> None:
    environment = {
        "PATH": "/bin",
        "OPENFN_API_KEY": "secret",
        "KIVUKO_X": "y",
        "NODE_OPTIONS": "--inspect",
        "npm_config_registry": "https://r",
    }
    assert child_environment(environment) == {"PATH": "/bin", "npm_config_registry": "https://r"}


def test_npm_is_found_beside_its_node(tmp_path: Path) -> None:
    script = tmp_path / "lib/node_modules/npm/bin/npm-cli.js"
    script.parent.mkdir(parents=True)
    script.touch()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/node").touch()
    assert Npm.beside(tmp_path / "bin/node").script == script
    assert Npm.beside(find_node()).script.is_file()
