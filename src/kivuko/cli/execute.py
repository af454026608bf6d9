"""``kivuko execute``, the default command: run a job or a workflow from a file (cli.md §3.1)."""

from __future__ import annotations

import importlib
import json
import time
from pathlib import Path

from kivuko.adaptors import parse_specifier
from kivuko.adaptors.package import read_package
from kivuko.cli.adaptors_in_use import AdaptorsInUse
from kivuko.cli.call import Call
from kivuko.cli.collections_wiring import CollectionsAccess, wire_collections
from kivuko.cli.commands import Command
from kivuko.cli.credential_map import apply_credentials, read_credential_map
from kivuko.cli.execute_options import EXECUTE_OPTIONS, ExecuteOptions
from kivuko.cli.job_path import PathKind, kind_of
from kivuko.cli.output_file import OutputFile
from kivuko.cli.own_engine import open_engine
from kivuko.cli.progress import Progress
from kivuko.cli.repeated_ids import tell_repeated_ids
from kivuko.cli.rival_flags import refuse_rivals
from kivuko.cli.starting_point import chosen_steps, initial_state, written_again
from kivuko.cli.step_cache import StepCache
from kivuko.cli.task import Task
from kivuko.cli.versions import log_versions, part_versions
from kivuko.cli.watch import watch
from kivuko.errors import AdaptorProblem, InputError
from kivuko.projects import job_plan, load_plan, source_of
from kivuko.value import replace
from kivuko.workflow import ExecutionPlan, check_keys, write_plan

__all__ = ["COMMAND", "run"]

_DEFAULT_ENDPOINT = "https://app.openfn.org"


def run(call: Call) -> int:
    """Run once, or again and again with ``--watch``. Gives 0, or 1 after a crash, a kill or (strict) any failure; 9 for bad options."""
    _log_parts(call)
    call.report_dotenv()
    options = ExecuteOptions.of(call)
    refuse_rivals(call)
    if call.arguments.flag("watch"):
        return watch(call, lambda: _run_once(call, options), _watched(call, options))
    return _run_once(call, options)


def _run_once(call: Call, options: ExecuteOptions) -> int:
    began = time.monotonic()
    with open_engine(call) as engine, Progress(call) as progress:
        adaptors = AdaptorsInUse.of(call, engine, progress)
        task = _prepared(call, options, adaptors)
        adaptors.start_host(engine, task.plan, options.memory_mb)
        # The runtime and the compiler are imported now, while Node starts on the other core.
        carry_out = importlib.import_module("kivuko.cli.execution").carry_out
        return int(carry_out(call, options, engine, adaptors, task, began))


def _prepared(call: Call, options: ExecuteOptions, adaptors: AdaptorsInUse) -> Task:
    """Everything that can be refused before anything runs, in the order of the reference."""
    kind = kind_of(options.path, call.folder, options.workspace)
    _check_adaptors(call, options, kind)
    plan = _read(call, options, kind)
    plan = _with_globals(call, plan, (call.folder / options.path).parent)
    plan = _with_access(call, options, plan)
    plan = adaptors.expand(plan)
    if options.autoinstall:
        plan = _installed(call, adaptors, plan)
    plan = chosen_steps(call, plan)
    output = _output(call, options)
    if output is not None:
        output.check()
    cache = StepCache.beside(
        (call.folder / options.path).parent, _cache_name(options, kind, plan), (node.id for node in plan.workflow.nodes)
    )
    state = initial_state(call, plan, cache, (call.folder / options.path).parent)
    if options.cache_steps:
        cache.clear(written_again(call, plan))
    return Task(plan, state, output, cache)


def _log_parts(call: Call) -> None:
    """The block of versions, with those of the adaptors that flags name."""
    versions = part_versions()
    for text in call.arguments.list("adaptors"):
        try:
            specifier = parse_specifier(text, expand=call.arguments.flag("expand-adaptors", True))
            if call.arguments.flag("use-adaptors-monorepo") and not specifier.path:
                versions[specifier.name] = "monorepo"
            elif specifier.path:
                package = read_package((call.folder / specifier.path).expanduser())
                versions[specifier.name or package.name] = package.version
            elif not text.endswith((".js", ".json", ".yaml", ".yml")):
                versions[specifier.name] = specifier.version or "latest"
        except AdaptorProblem:
            continue  # it is told with its reason when the adaptor is looked for
    log_versions(call.log, versions)


def _check_adaptors(call: Call, options: ExecuteOptions, kind: PathKind) -> None:
    if options.skip_adaptor_validation:
        return
    if kind == "workflow" and options.adaptors:
        raise InputError(
            "ERROR: adaptor and workflow provided",
            details="A workflow names the adaptors of its steps itself.",
            fix="Leave -a out, or give --skip-adaptor-validation.",
        )
    if kind == "expression" and not options.adaptors and options.compiled:
        call.log.warn("WARNING: No adaptor provided!")
        call.log.warn("This job probably needs one; name it after the path, for example:")
        call.log.warn(f"    {call.program} job.js -a common")


def _read(call: Call, options: ExecuteOptions, kind: PathKind) -> ExecutionPlan:
    if kind == "expression":
        return job_plan(options.path, call.folder, options.adaptors)

    def validate(document: object) -> None:
        for warning in check_keys(document):
            call.log.warn(warning)

    strictly = call.arguments.flag("validate")
    plan = load_plan(options.path, call.folder, validate=validate if strictly else None)
    tell_repeated_ids(call, plan, refuse=strictly or options.strict)
    _tell_conversion(call, plan)
    return plan


def _tell_conversion(call: Call, plan: ExecutionPlan) -> None:
    if plan.converted:
        call.log.warn("Converted workflow into new format:")
        call.log.warn(json.dumps(write_plan(plan), indent=2, ensure_ascii=False))


def _with_globals(call: Call, plan: ExecutionPlan, folder: Path) -> ExecutionPlan:
    text = call.arguments.text("globals")
    if text is None:
        return plan
    return replace(plan, workflow=replace(plan.workflow, globals=source_of(text, (call.folder, folder), "globals")))


def _with_access(call: Call, options: ExecuteOptions, plan: ExecutionPlan) -> ExecutionPlan:
    """The plan with the values of its credentials and access to collections."""
    path = call.arguments.text("credentials")
    credentials = read_credential_map(path, options.workspace, call.environment) if path else {}
    plan = apply_credentials(plan, credentials, call.log)
    given, environment = call.arguments, call.environment
    endpoint = given.text("collections-endpoint") or environment.get("OPENFN_COLLECTIONS_ENDPOINT") or plan.options.collections_endpoint
    access = CollectionsAccess(
        endpoint or environment.get("OPENFN_ENDPOINT") or _DEFAULT_ENDPOINT,
        given.text("apikey") or environment.get("OPENFN_API_KEY") or None,
        given.text("collections-version") or environment.get("OPENFN_COLLECTIONS_VERSION") or "latest",
    )
    return wire_collections(plan, access, call.log)


def _installed(call: Call, adaptors: AdaptorsInUse, plan: ExecutionPlan) -> ExecutionPlan:
    try:
        return adaptors.install(plan)
    except AdaptorProblem:
        adaptors.progress.show("")
        call.log.error("Command failed!")
        raise


def _output(call: Call, options: ExecuteOptions) -> OutputFile | None:
    """Where the result goes; None: to standard output."""
    if call.arguments.flag("output-stdout"):
        return None
    shown = call.arguments.text("output-path") or str(Path(options.path).parent / "output.json")
    return OutputFile(shown, (call.folder / shown).expanduser())


def _cache_name(options: ExecuteOptions, kind: PathKind, plan: ExecutionPlan) -> str:
    return Path(options.path).name.removesuffix(".js") if kind == "expression" else plan.workflow.name or "workflow"


def _watched(call: Call, options: ExecuteOptions) -> tuple[Path, ...]:
    """The files and folders whose change starts another run."""
    named = [options.path, call.arguments.text("state-path"), call.arguments.text("credentials"), call.arguments.text("globals")]
    return tuple((call.folder / name).expanduser() for name in named if name)


COMMAND = Command(
    name="execute",
    run=run,
    options=EXECUTE_OPTIONS,
    takes=None,
    about="Runs a job (.js, with its adaptors) or a workflow (.json, .yaml) and writes the final state to output.json beside it. "
    "Missing adaptors are installed.",
    examples=(
        "job.js -a http",
        "job.js -a http@7.2.10 -s state.json -o tmp/output.json",
        "workflow.json --credentials credentials.yaml",
        "workflow.yaml --start transform --cache-steps",
        "job.js -a common -O -l none | jq .data",
        "job.js -a my-system=./my-system",
    ),
    versions=True,
    nothing={"state": None, "errors": None, "output_path": None, "duration_ms": 0},
)
