"""From a file to an execution plan whose texts are sources: jobs, workflows in JSON or YAML, and the files they name.

The rules are those of jobs-and-runtime §1.2 and §2.1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from kivuko.errors import FileMissing, InputError
from kivuko.projects.document import parse_json, parse_yaml
from kivuko.value import replace, value
from kivuko.workflow import ExecutionPlan, Job, Workflow, read_plan

__all__ = ["job_plan", "load_plan", "source_of"]

_PATH_LIKE = re.compile(r"[^\r\n]*(ts|jso?n?|ojs)")
_NO_PATH = re.compile(r"[\s()\[\]{}]")
_CONFIGURATION_FILE = re.compile(r"\.(ts|jso?n?|ojs)$")


def job_plan(shown: str, folder: Path, adaptors: tuple[str, ...]) -> ExecutionPlan:
    """A workflow of one job, ``job-1``, from the file of its expression. Raises FileMissing, InputError."""
    file = (folder / shown).expanduser()
    source = _read(file, "Expression not found", f"Failed to load the expression from {shown}")
    return ExecutionPlan(Workflow((Job("job-1", source, adaptors=adaptors),), name=file.stem))


def load_plan(shown: str, folder: Path, *, validate: Callable[[object], object] | None = None) -> ExecutionPlan:
    """The plan in a workflow file, with all that it names by path read. ``validate`` sees the document first.

    Raises InputError of several kinds, with what is wrong and where.
    """
    file = (folder / shown).expanduser()
    text = _read(file, "Workflow not found", f"Failed to load a workflow from {shown}")
    parse, kind = (parse_json, "JSON") if file.suffix == ".json" else (parse_yaml, "YAML")
    document = parse(text, f"Invalid {kind} in workflow", shown)
    if validate is not None:
        validate(document)
    plan = read_plan(document)
    workflow = plan.workflow
    reader = _Reader(file.parent)
    nodes = tuple(reader.job(node) if isinstance(node, Job) else node for node in workflow.nodes)
    globals_source = reader.text(workflow.globals, "globals") if workflow.globals else workflow.globals
    return replace(plan, workflow=replace(workflow, nodes=nodes, globals=globals_source, name=workflow.name or workflow.id or file.stem))


def source_of(text: str, folders: tuple[Path, ...], where: str) -> str:
    """The source that a text is, or that the file it names holds; the folders are tried in order.

    A text is a path if it ends as scripts and JSON do and has neither white space nor brackets, or if such a file exists. Raises
    FileMissing when a path leads nowhere; ``where`` begins the end of its message.
    """
    if not _PATH_LIKE.fullmatch(text):
        return text
    for folder in folders:
        file = (folder / text).expanduser() if len(text) < 1000 else folder
        if file.is_file():
            return _read(file, f"File not found for {where}: {text}", "")
    if _NO_PATH.search(text):
        return text
    looked = ", ".join(str(folder) for folder in folders)
    raise FileMissing(f"File not found for {where}: {text}", details=f"It was looked for in {looked}.")


@value
class _Reader:
    folder: Path

    def text(self, text: str, where: str) -> str:
        return source_of(text, (self.folder,), where)

    def job(self, job: Job) -> Job:
        return replace(
            job,
            expression=self.text(job.expression, f"job {job.id}") if job.expression else job.expression,
            configuration=self._configuration(job),
            state=self._document(job.state, f"job state {job.id}") if isinstance(job.state, str) else job.state,
        )

    def _configuration(self, job: Job) -> Mapping[str, object] | str | None:
        held = job.configuration
        if not isinstance(held, str) or not (_CONFIGURATION_FILE.search(held) or (self.folder / held).is_file()):
            return held
        return self._document(held, f"job configuration {job.id}")

    def _document(self, text: str, where: str) -> Mapping[str, object]:
        content = source_of(text, (self.folder,), where)
        document = parse_json(content, f"Invalid JSON for {where}", text if content != text else "the text itself")
        if not isinstance(document, dict):
            raise InputError(f"Invalid JSON for {where}", details=f"{text} holds no object.", fix="Write a JSON object.")
        return document


def _read(file: Path, reason: str, details: str) -> str:
    try:
        return file.read_bytes().decode("utf-8").removeprefix("\ufeff")
    except FileNotFoundError as problem:
        raise FileMissing(reason, details=f"{details}\nENOENT: there is no {file}".strip()) from problem
    except UnicodeDecodeError as problem:
        raise InputError(f"{file} is not UTF-8 text", details=str(problem), fix="Save the file as UTF-8.") from problem
    except OSError as problem:
        raise FileMissing(reason, details=f"{details}\n{file}: {problem.strerror}".strip()) from problem
