"""What a path names."""

from __future__ import annotations

from pathlib import Path

import pytest

from kivuko.cli.job_path import kind_of
from kivuko.errors import InputError


@pytest.mark.parametrize(
    ("path", "kind"), [("a.js", "expression"), ("w.json", "workflow"), ("x/w.yaml", "workflow"), ("w.yml", "workflow")]
)
def test_the_ending_decides(tmp_path: Path, path: str, kind: str) -> None:
    assert kind_of(path, tmp_path, tmp_path) == kind


@pytest.mark.parametrize("path", ["xjson", "a.ts", "a", ".js.txt", "", "a/b/c", "x" * 300])
def test_anything_else_is_refused_with_the_rules(tmp_path: Path, path: str) -> None:
    with pytest.raises(InputError) as problem:
        kind_of(path, tmp_path, tmp_path)
    assert "A job is a file that ends in .js" in problem.value.details


def test_a_bare_name_names_the_workspace_that_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(InputError, match='Could not find Workflow "flow"') as problem:
        kind_of("flow", tmp_path, tmp_path)
    assert f"Could not find openfn.yaml at {tmp_path}" in problem.value.details


def test_in_a_workspace_it_says_that_workflows_are_run_by_path(tmp_path: Path) -> None:
    (tmp_path / "openfn.yaml").write_text("")
    with pytest.raises(InputError) as problem:
        kind_of("flow", tmp_path, tmp_path)
    assert "run by their path" in problem.value.details


def test_near_names_of_files_and_commands_are_offered(tmp_path: Path) -> None:
    (tmp_path / "flow.yaml").write_text("")
    with pytest.raises(InputError) as by_file:
        kind_of("flwo", tmp_path, tmp_path)
    assert "flow.yaml" in by_file.value.fix
    with pytest.raises(InputError) as by_command:
        kind_of("compille", tmp_path, tmp_path)
    assert "compile" in by_command.value.fix


def test_a_folder_names_what_can_be_run_in_it(tmp_path: Path) -> None:
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs/a.js").write_text("")
    with pytest.raises(InputError, match="jobs is a folder") as problem:
        kind_of("jobs", tmp_path, tmp_path)
    assert "jobs/a.js" in problem.value.details
