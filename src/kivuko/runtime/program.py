"""A plan made ready: adaptors found, jobs compiled, conditions checked (engine.md §3, nos. 1 and 2)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress

from kivuko.engines.run import ModuleFiles, RunError
from kivuko.errors import AdaptorProblem, CompileError, JobSyntaxError, PlanError
from kivuko.language import AdaptorNames, CompiledJob
from kivuko.runtime.compilation import compiled_job, compiled_module, names_exported_by
from kivuko.runtime.faults import export_fault, import_fault, not_compiled
from kivuko.runtime.hosts import host_key, run_limits
from kivuko.runtime.logs import Journal, LogSink
from kivuko.runtime.ports import AdaptorResolver, LoadedAdaptor, RunEngine
from kivuko.runtime.settings import AttemptSettings, CompileSettings
from kivuko.value import fresh, replace, value
from kivuko.workflow import FAILURE_WORDS, SUCCESS_WORDS, ExecutionPlan, Job, edge_failure, validate

__all__ = ["PreparedJob", "Program", "prepare"]

_OWN_MODULES = frozenset({"@openfn/runtime"})
"""Modules that the host itself offers."""

_NO_SCRIPT = ")"
"""What no JavaScript engine compiles: asking about it with a source gets that source's own error, or one in line 0."""


@value
class PreparedJob:
    """A job ready to run.

    ``modules`` are those that its script reads, by specifier; ``loaded`` those that its host must hold; ``names`` what its adaptors export.
    ``fault`` is what it crashes with when it is reached; then nothing of it runs. ``compile_ms`` is how long compiling and checking took.
    """

    job: Job
    compiled: CompiledJob | None = None
    modules: Mapping[str, ModuleFiles] = fresh(factory=dict)
    loaded: tuple[ModuleFiles, ...] = ()
    fault: RunError | None = None
    names: tuple[str, ...] = ()
    compile_ms: float = 0.0


@value
class Program:
    """A plan whose jobs are prepared. ``globals_script`` is the host script of the workflow's globals."""

    plan: ExecutionPlan
    jobs: Mapping[str, PreparedJob]
    globals_script: str | None = None
    compiled: bool = True


def prepare(
    plan: ExecutionPlan,
    adaptors: AdaptorResolver,
    *,
    engine: RunEngine | None = None,
    settings: AttemptSettings | None = None,
    compile_settings: CompileSettings | None = None,
    on_log: LogSink | None = None,
) -> Program:
    """Makes a plan ready. Texts of ``plan`` must be sources by now, not paths.

    With an ``engine``, JavaScript itself looks at every script and condition, and where all jobs share a host, that host starts while
    jobs are being compiled; without one only the compiler judges. Raises PlanError for what is wrong with the structure or the
    conditions (all of those in one error) and, if strict, CompileError with ``job`` set. An adaptor that is missing is no error here: the
    job that needs it crashes when it is reached, as in OpenFn. ``on_log`` hears why a plan is refused.
    """
    chosen = settings or AttemptSettings()
    try:
        validate(plan)
        return _Preparation(plan, adaptors, engine, chosen, compile_settings or CompileSettings()).program()
    except PlanError as error:
        if on_log is not None:
            Journal(on_log, chosen.clock.now_ns).invalid(error.message)
        raise


class _Preparation:
    """The work of ``prepare``: one method a step."""

    def __init__(
        self,
        plan: ExecutionPlan,
        adaptors: AdaptorResolver,
        engine: RunEngine | None,
        settings: AttemptSettings,
        compile_settings: CompileSettings,
    ) -> None:
        self._plan = plan
        self._adaptors = adaptors
        self._engine = engine
        self._settings = settings
        self._how = compile_settings
        self._found: dict[str, LoadedAdaptor | AdaptorProblem] = {}
        self._key = host_key(settings, "", ())
        self._limits = run_limits(settings, None)

    def program(self) -> Program:
        """Everything in order: adaptors, host, globals, jobs, conditions."""
        workflow = self._plan.workflow
        for job in workflow.jobs:
            for text in job.adaptors:
                self._resolve(text)
        self._start_host()
        globals_script, names = self._globals(workflow.globals)
        jobs = {job.id: self._job(job, names) for job in workflow.jobs}
        self._check_conditions()
        return Program(self._plan, jobs, globals_script, self._how.compiled)

    def _resolve(self, text: str) -> LoadedAdaptor | AdaptorProblem:
        if text not in self._found:
            try:
                self._found[text] = self._adaptors(text)
            except AdaptorProblem as problem:
                self._found[text] = problem
        return self._found[text]

    def _start_host(self) -> None:
        if self._engine is None or not self._settings.one_host or not self._plan.workflow.jobs:
            return
        modules = [found.files for found in self._found.values() if not isinstance(found, AdaptorProblem)]
        self._key = host_key(self._settings, "", modules)
        self._engine.prepare(self._key, attempt=self._settings.attempt, limits=self._limits, egress=self._settings.egress)

    def _globals(self, source: str | None) -> tuple[str | None, frozenset[str]]:
        if not source:
            return None, frozenset()
        try:
            compiled = compiled_module(source)
            self._check(compiled)
            return compiled.script, names_exported_by(source)
        except CompileError as problem:
            error = self._worded(problem, source)
            error.job = "globals"
            raise error from None

    def _job(self, job: Job, ignored: frozenset[str]) -> PreparedJob:
        if not job.expression:
            return PreparedJob(job)
        found = {text: self._resolve(text) for text in job.adaptors}
        for text, problem in found.items():
            if isinstance(problem, AdaptorProblem):
                return PreparedJob(job, fault=import_fault(_module_name(text), reason=problem.message, fix=problem.fix))
        adaptors = [adaptor for adaptor in found.values() if not isinstance(adaptor, AdaptorProblem)]
        clock = self._settings.clock
        begun_ns = clock.monotonic_ns()
        try:
            compiled = self._compile(job, adaptors, ignored)
            self._check(compiled)
        except CompileError as problem:
            error = self._worded(problem, job.expression)
            error.job = job.title
            if self._how.strict:
                raise error from None
            return PreparedJob(job, fault=not_compiled(error, job.title))
        return replace(self._with_modules(job, compiled, adaptors), compile_ms=(clock.monotonic_ns() - begun_ns) / 1e6)

    def _compile(self, job: Job, adaptors: list[LoadedAdaptor], ignored: Collection[str]) -> CompiledJob:
        if not self._how.compiled:
            return compiled_module(job.expression)
        if self._how.ignore_imports is True:
            return compiled_job(job.expression, (), frozenset())
        names = tuple(AdaptorNames(adaptor.files.specifier, tuple(adaptor.exports)) for adaptor in adaptors)
        return compiled_job(job.expression, names, frozenset(ignored) | (self._how.ignore_imports or frozenset()))

    def _with_modules(self, job: Job, compiled: CompiledJob, adaptors: list[LoadedAdaptor]) -> PreparedJob:
        known = {adaptor.files.specifier: adaptor for adaptor in adaptors}
        modules: dict[str, ModuleFiles] = {}
        for specifier in dict.fromkeys((*compiled.modules, *compiled.imports)):
            if specifier in _OWN_MODULES:
                continue
            found = known.get(specifier) or self._imported(job, specifier)
            if isinstance(found, RunError):
                return PreparedJob(job, fault=found)
            missing = set(compiled.imported.get(specifier, ())) - {"default", *found.exports}
            if missing:
                return PreparedJob(job, fault=export_fault(specifier, min(missing)))
            modules[specifier] = found.files
        loaded = {specifier: adaptor.files for specifier, adaptor in known.items()}
        names = tuple(name for adaptor in adaptors for name in adaptor.exports)
        return PreparedJob(job, compiled, modules, tuple({**loaded, **modules}.values()), names=names)

    def _imported(self, job: Job, specifier: str) -> LoadedAdaptor | RunError:
        if specifier.startswith((".", "node:")):
            return import_fault(specifier, fix="A job can import packages by their name, not files beside it.")
        link = job.linker.get(specifier)
        place = f"={link.path}" if link and link.path else f"@{link.version}" if link and link.version else ""
        found = self._resolve(specifier + place)
        if isinstance(found, AdaptorProblem):
            return import_fault(specifier, reason=found.message, fix=found.fix)
        return found

    def _check(self, compiled: CompiledJob) -> None:
        if self._engine is None:
            return
        # A host whose adaptors do not load cannot judge a script; the Run that needs them meets the same problem and reports it.
        with suppress(AdaptorProblem):
            self._engine.check(
                compiled.script,
                compiled.source,
                body=compiled.body,
                insertions=compiled.insertions,
                key=self._key,
                limits=self._limits,
                egress=self._settings.egress,
            )

    def _worded(self, error: CompileError, source: str) -> CompileError:
        """A syntax error that the compiler found, in acorn's words where acorn sees it too; people know those."""
        if self._engine is None or not isinstance(error, JobSyntaxError):
            return error
        try:
            self._engine.check(_NO_SCRIPT, source, key=self._key, limits=self._limits, egress=self._settings.egress)
        except JobSyntaxError as worded:
            return worded if worded.line else error
        return error

    def _check_conditions(self) -> None:
        if self._engine is None:
            return
        failures = []
        for node, edge in self._plan.workflow.edges():
            if edge.disabled or not isinstance(edge.word, str) or edge.word in FAILURE_WORDS | SUCCESS_WORDS:
                continue
            try:
                with suppress(AdaptorProblem):
                    self._engine.check_condition(edge.word, key=self._key, limits=self._limits, egress=self._settings.egress)
            except JobSyntaxError as error:
                failures.append(edge_failure(node.id, edge, error.message))
        if failures:
            raise PlanError("\n\n".join(failures), fix="Write a condition as a JavaScript expression over `state`.")


def _module_name(text: str) -> str:
    """The name in the text of an adaptor, without version and path."""
    name = text.partition("=")[0]
    return name if name.rfind("@") <= 0 else name[: name.rfind("@")]
