"""Only a folder of adaptors is deleted; commands name the program as it was called."""

from __future__ import annotations

import pytest

from cli.conftest import CommandLine


def test_a_folder_that_is_no_repo_is_not_deleted(kivuko: CommandLine) -> None:
    kivuko.write("mine/package.json", {"name": "my-app", "dependencies": {"left": "1.0.0"}})
    done = kivuko("repo", "clean", "--repo-dir", "./mine", "-f")
    assert (done.exit, kivuko.read("mine/package.json")["name"]) == (1, "my-app")
    assert "is no folder of adaptors" in done.out


def test_a_folder_that_is_not_there_is_said_to_be_so(kivuko: CommandLine) -> None:
    done = kivuko("repo", "clean", "--repo-dir", "./nowhere", "-f")
    assert (done.exit, "There is no folder" in done.out) == (1, True)


def test_the_repo_of_either_program_is_deleted(kivuko: CommandLine) -> None:
    kivuko.write("theirs/package.json", {"name": "openfn-repo", "dependencies": {}})
    kivuko.write("ours/.kivuko/lock", "")
    assert [kivuko("repo", "clean", "--repo-dir", f"./{name}", "-f").exit for name in ("theirs", "ours")] == [0, 0]
    assert not list(kivuko.folder.iterdir())


@pytest.mark.parametrize("words", [("metadata",), ("repo", "install")])
def test_a_hint_names_the_program(kivuko: CommandLine, words: tuple[str, ...]) -> None:
    done = kivuko(*words)
    assert (done.exit, "{program}" in done.out + done.err) == (1, False)
