"""Workflow files on disk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kivuko.errors import FileMissing, InputError, InvalidJson
from kivuko.projects import job_plan, load_plan, source_of


def written(folder: Path, name: str, content: object) -> str:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return name


def test_the_file_of_a_job_is_a_workflow_of_one(tmp_path: Path) -> None:
    plan = job_plan(written(tmp_path, "fetch.js", "get('/')"), tmp_path, ("http",))
    (job,) = plan.workflow.jobs
    assert (job.id, job.expression, job.adaptors, plan.workflow.name) == ("job-1", "get('/')", ("http",), "fetch")


def test_what_a_workflow_names_by_path_is_read_beside_it(tmp_path: Path) -> None:
    step = {"id": "a", "expression": "jobs/a.js", "configuration": "cfg/a.json", "state": "st/a.json"}
    for name, content in (
        ("jobs/a.js", "fn(s => s)"),
        ("cfg/a.json", {"k": "v"}),
        ("st/a.json", {"data": 1}),
        ("glob.js", "export const x = 1"),
    ):
        written(tmp_path / "flows", name, content)
    plan = load_plan(written(tmp_path, "flows/plan.json", {"workflow": {"steps": [step], "globals": "glob.js"}}), tmp_path)
    (job,) = plan.workflow.jobs
    assert (job.expression, job.configuration, job.state) == ("fn(s => s)", {"k": "v"}, {"data": 1})
    assert plan.workflow.globals == "export const x = 1"


def test_a_workflow_without_a_name_is_called_like_its_file(tmp_path: Path) -> None:
    assert load_plan(written(tmp_path, "flow.json", {"steps": []}), tmp_path).workflow.name == "flow"
    assert load_plan(written(tmp_path, "flow.json", {"name": "Own", "steps": []}), tmp_path).workflow.name == "Own"


def test_yaml_is_read(tmp_path: Path) -> None:
    first = "  - id: one\n    expression: |\n      fn(s => s)\n    next:\n      two:\n        condition: state.x\n"
    text = f"id: w\nstart: one\nsteps:\n{first}  - id: two\n"
    plan = load_plan(written(tmp_path, "w.yaml", text), tmp_path)
    assert plan.start == "one"
    assert plan.workflow.nodes[0].edges[0].condition == "state.x"


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_bytes(b"\xef\xbb\xbffn()")
    assert job_plan("a.js", tmp_path, ()).workflow.jobs[0].expression == "fn()"


@pytest.mark.parametrize("text", ["fn(s => s); // mixed results", "export default [s => s]; // see data.json", "a\nb.js", "get('/x.js')"])
def test_code_that_ends_like_a_file_name_is_code(tmp_path: Path, text: str) -> None:
    assert source_of(text, (tmp_path,), "job a") == text


def test_a_file_whose_name_has_spaces_is_read_because_it_exists(tmp_path: Path) -> None:
    assert source_of(written(tmp_path, "my job (1).js", "fn()"), (tmp_path,), "job a") == "fn()"


def test_a_path_that_leads_nowhere_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileMissing, match=r"File not found for job a: gone\.js"):
        load_plan(written(tmp_path, "p.json", {"steps": [{"id": "a", "expression": "gone.js"}]}), tmp_path)


def test_a_configuration_that_leads_nowhere_is_named(tmp_path: Path) -> None:
    step = {"id": "a", "expression": "1", "configuration": "gone.json"}
    with pytest.raises(FileMissing, match=r"File not found for job configuration a: gone\.json"):
        load_plan(written(tmp_path, "p.json", {"steps": [step]}), tmp_path)


def test_a_configuration_that_is_no_file_name_is_the_id_of_a_credential(tmp_path: Path) -> None:
    step = {"id": "a", "expression": "1", "configuration": "dev@example.org|http cred"}
    plan = load_plan(written(tmp_path, "p.json", {"steps": [step]}), tmp_path)
    assert plan.workflow.jobs[0].configuration == "dev@example.org|http cred"


@pytest.mark.parametrize(
    ("name", "content", "error", "message"),
    [
        ("p.json", "{ ", InvalidJson, "Invalid JSON in workflow"),
        ("p.yaml", "a: [1", InputError, "Invalid YAML in workflow"),
        ("p.json", {"steps": [{"id": "a", "expression": "1", "state": "s.json"}]}, InputError, "Invalid JSON for job state a"),
    ],
)
def test_files_that_cannot_be_read_as_what_they_are_are_refused(
    tmp_path: Path, name: str, content: object, error: type[InputError], message: str
) -> None:
    written(tmp_path, "s.json", "[1]")
    with pytest.raises(error, match=message):
        load_plan(written(tmp_path, name, content), tmp_path)


def test_a_workflow_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileMissing, match="Workflow not found"):
        load_plan("gone.json", tmp_path)


def test_text_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="is not UTF-8"):
        job_plan("a.js", tmp_path, ())


def test_validation_sees_the_document_first(tmp_path: Path) -> None:
    seen: list[object] = []
    load_plan(written(tmp_path, "p.json", {"steps": []}), tmp_path, validate=seen.append)
    assert seen == [{"steps": []}]


def test_a_folder_in_the_place_of_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.js").mkdir()
    with pytest.raises(FileMissing, match="Expression not found") as caught:
        job_plan("a.js", tmp_path, ())
    assert "directory" in caught.value.details
