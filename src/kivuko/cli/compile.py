"""``kivuko compile``: what a job or a workflow becomes, as text that any OpenFn-compatible runtime reads (cli.md §3.2)."""

from __future__ import annotations

import importlib
import json
import sys

from kivuko.cli.adaptors_in_use import AdaptorsInUse
from kivuko.cli.arguments import Option
from kivuko.cli.call import Call
from kivuko.cli.commands import Command
from kivuko.cli.execute_options import WORD_OF_WORKSPACE, ignored_names, path_and_adaptors
from kivuko.cli.job_path import kind_of
from kivuko.cli.output_file import OutputFile
from kivuko.cli.own_engine import open_engine
from kivuko.cli.progress import Progress
from kivuko.cli.repeated_ids import tell_repeated_ids
from kivuko.cli.shared import ADAPTORS, EXPAND, JSON, MONOREPO, REPO_DIR, TRACE, WORKSPACE
from kivuko.engines import Engine, HostKey
from kivuko.errors import CompileError, FileMissing, OptionInvalid, UsageError
from kivuko.language import AdaptorNames, PortableModule, compile_job, compile_portable, exported_names
from kivuko.projects import job_plan, load_plan
from kivuko.value import replace, value
from kivuko.workflow import ExecutionPlan, Job, write_plan

__all__ = ["COMMAND", "compile_file"]


def compile_file(call: Call) -> int:
    """Compile the file and print or write the result. The exit code is 1 when it does not compile."""
    if not call.arguments.words and not call.arguments.list("adaptors"):
        print("ERROR: no path provided!", file=sys.stderr)
        print(f"\nUsage:\n  {call.program} compile path/to/job.js\n\nFor more: {call.program} compile --help", file=sys.stderr)
        return call.failed(UsageError("no path provided!", fix=f"{call.program} compile path/to/job.js"))
    if call.arguments.has("w"):
        raise OptionInvalid("workspace", WORD_OF_WORKSPACE)
    path, adaptors = path_and_adaptors(call)
    workspace = call.folder / (call.setting("workspace", "OPENFN_WORKSPACE") or ".")
    with open_engine(call) as engine, Progress(call) as progress:
        engine.prepare(HostKey("", ""))  # V8 judges what was compiled; it starts while Python reads
        kind = kind_of(path, call.folder, workspace)
        output = _output(call)
        if output is not None:
            output.check()
        in_use = AdaptorsInUse.of(call, engine, progress)
        try:
            plan = load_plan(path, call.folder) if kind == "workflow" else job_plan(path, call.folder, adaptors)
        except FileMissing:
            call.log.error("Failed to compile job")
            raise
        tell_repeated_ids(call, plan)
        plan = in_use.expand(plan)
        compiler = _Compiler(engine, in_use, ignored_names(call))
        try:
            modules = compiler.modules(plan)
        except CompileError as problem:
            failing = [job.expression for job in plan.workflow.jobs if problem.job in (job.id, job.title)]
            tell = importlib.import_module("kivuko.cli.compile_failure").print_compile_error  # needs the runtime, which compiling does not
            tell(problem, call, failing[0] if failing else plan.workflow.globals or "")
            return call.failed(problem)
    text = modules["job-1"].code if kind == "expression" else _plan_text(plan, modules)
    _deliver(call, path, kind, text, output)
    return 0


@value
class _Compiler:
    engine: Engine
    adaptors: AdaptorsInUse
    ignored: bool | frozenset[str]

    def modules(self, plan: ExecutionPlan) -> dict[str, PortableModule]:
        """The module of every job that has an expression, by id. Raises CompileError with ``job`` set, AdaptorProblem."""
        hidden = frozenset(exported_names(plan.workflow.globals)) if plan.workflow.globals else frozenset()
        return {job.id: self._module(job, hidden) for job in plan.workflow.jobs if job.expression}

    def _module(self, job: Job, hidden: frozenset[str]) -> PortableModule:
        names = () if self.ignored is True else tuple(self._names(text) for text in job.adaptors)
        ignore = hidden | (self.ignored if isinstance(self.ignored, frozenset) else frozenset())
        try:
            checked = compile_job(job.expression, (), ignore=ignore)
            self.engine.check(checked.script, checked.source, body=checked.body, insertions=checked.insertions)
            return compile_portable(job.expression, names, ignore=ignore, name=job.id)
        except CompileError as problem:
            problem.job = job.title
            raise

    def _names(self, text: str) -> AdaptorNames:
        found = self.adaptors.resolve(text)
        return AdaptorNames(found.specifier, found.exports)


def _output(call: Call) -> OutputFile | None:
    shown = call.arguments.text("output-path")
    if shown is None:
        return None
    if call.arguments.flag("output-stdout"):
        call.log.warn(f"-O means nothing here: -o writes the result to {shown} instead of printing it")
    return OutputFile(shown, (call.folder / shown).expanduser())


def _plan_text(plan: ExecutionPlan, modules: dict[str, PortableModule]) -> str:
    """The plan as JSON with compiled expressions and their source maps."""
    nodes = tuple(
        replace(node, expression=modules[node.id].code, source_map=dict(modules[node.id].source_map))
        if isinstance(node, Job) and node.id in modules
        else node
        for node in plan.workflow.nodes
    )
    document = write_plan(replace(plan, workflow=replace(plan.workflow, nodes=nodes)))
    return json.dumps({"options": {}, **document}, indent=2, ensure_ascii=False)


def _deliver(call: Call, path: str, kind: str, text: str, output: OutputFile | None) -> None:
    call.log.success(f"Compiled {'all expressions in workflow' if kind == 'workflow' else f'expression from {path}'}")
    call.result({"path": path, "code": text, "output_path": None if output is None else str(output.path)})
    if output is not None:
        output.write(text.encode("utf-8", "surrogatepass"))
        call.log.success(f"Compiled to {output.shown}")
    elif call.wants_json:
        return
    elif call.log.levels["cli"] == "none":
        print(text)
    else:
        call.log.write("success", "CLI", ("Result:", text), f"Result:\n\n{text}")


COMMAND = Command(
    name="compile",
    run=compile_file,
    options=(
        ADAPTORS,
        Option("output-path", "File for the result", ("o",), "text"),
        Option("output-stdout", "Print the result (on, unless -o is given)", ("O",)),
        Option("ignore-imports", "Import nothing from adaptors, or leave out these names (a,b)", (), "optional"),
        JSON,
        REPO_DIR,
        MONOREPO,
        EXPAND,
        WORKSPACE,
        TRACE,
        Option("w", "", (), "optional", hidden=True),
    ),
    takes=None,
    about="Compiles a job to the module, or a workflow to the plan, that OpenFn's runtime and Kivuko's understand. "
    "Adaptors must be installed.",
    examples=("compile job.js -a http", "compile workflow.json -o compiled.json"),
)
