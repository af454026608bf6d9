"""The library: run and compile jobs and workflows from Python (``import kivuko``)."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from kivuko.adaptors import Adaptor, Layout, Repo, RepoSettings, default_folder, parse_specifier
from kivuko.engines import Engine, EngineSettings
from kivuko.errors import EngineClosed, InputError, KivukoError
from kivuko.language import AdaptorNames, compile_portable
from kivuko.projects import job_plan, load_plan
from kivuko.runtime import AttemptResult, AttemptSettings, CredentialResolver, Outside, Reason, execute, prepare
from kivuko.runtime.logs import LogSink
from kivuko.value import value
from kivuko.workflow import ExecutionPlan, Job, Workflow, read_plan

__all__ = ["Credentials", "Program", "Result", "Session", "compile", "load", "run"]

Program = str | Path | Workflow | ExecutionPlan | Mapping[str, object]
"""What can be run: the source of a job (a text is never taken for a path), the path of a job (``.js``) or of a workflow (``.json``,
``.yaml``), a workflow or plan, or the JSON of a plan."""

Credentials = Mapping[str, Mapping[str, object]] | CredentialResolver
"""Configurations by the id of their credential, or a function that gives them."""


@value
class Result:
    """The end of a run.

    ``state`` is the final state as Python values: of one leaf, or ``{"leaf": state}`` of several; None without any, as after a crash.
    ``attempt`` holds all else that is known, the Runs among it.
    """

    state: object
    attempt: AttemptResult

    @property
    def ok(self) -> bool:
        """Whether everything went well, in the end."""
        return self.attempt.reason == "success"

    @property
    def reason(self) -> Reason:
        """Why the run ended: success, fail, crash, kill or exception."""
        return self.attempt.reason

    @property
    def error(self) -> str | None:
        """What went wrong, with the kind of error before it, or None."""
        return None if self.ok else f"{self.attempt.error_type}: {self.attempt.error_message}"


class Session:
    """Keeps JavaScript warm between runs. A context manager; one thread uses it at a time.

    >>> with Session() as session:
    ...     for n in (1, 2):
    ...         session.run("export default [state => ({ n: state.data.n * 2 })]", {"data": {"n": n}}).state
    {'n': 2}
    {'n': 4}
    """

    def __init__(self, *, repo: Path | None = None, install: bool = True) -> None:
        """``repo`` is the folder of installed adaptors (None: the command line's). With ``install`` missing adaptors are installed.

        Nothing is started yet.
        """
        folder = (repo or default_folder()).expanduser().absolute()
        layout = Layout(folder)
        self._engine = Engine(EngineSettings(store=layout.bundles, acorn=layout.acorn))
        self._repo = Repo(folder, loader=self._engine, settings=RepoSettings.from_environment(os.environ))
        self._install = install
        self._numbers = itertools.count(1)
        self._closed = False

    def __enter__(self) -> Session:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Ends every process of the session, which then runs nothing more."""
        self._closed = True
        self._engine.close()

    def run(
        self,
        program: Program,
        state: object = None,
        *,
        adaptors: str | Sequence[str] = (),
        credentials: Credentials | None = None,
        timeout_ms: int | None = None,
        on_log: LogSink | None = None,
    ) -> Result:
        """Runs a job or a workflow; see ``kivuko.run``.

        With ``credentials``, or configurations in the plan, each of them has JavaScript processes of its own, also between runs (engine.md
        E7). A ``configuration`` inside ``state`` is not told apart: give different people's by ``credentials``.
        """
        self._must_be_open()
        _check_options(timeout_ms, on_log)
        plan, resolver, input_state = load(program, adaptors=adaptors), _resolver(credentials), _state_bytes(state)
        one_host = credentials is None and not _has_configuration(plan)
        settings = AttemptSettings(attempt=str(next(self._numbers)), timeout_ms=timeout_ms, one_host=one_host)
        prepared = prepare(plan, self._resolve, engine=self._engine, settings=settings, on_log=on_log)
        outside = Outside(credentials=resolver, on_log=on_log)
        attempt = execute(prepared, input_state, self._engine, settings=settings, outside=outside)
        return Result(_state_value(attempt.state), attempt)

    def compile(self, source: str, adaptors: str | Sequence[str] = ()) -> str:
        """Compiles a job; see ``kivuko.compile``."""
        self._must_be_open()
        if not isinstance(source, str):
            raise InputError(f"A job is a text, not {source!r}", fix="Give the source of the job.")
        found = [self._resolve(text) for text in _adaptor_texts(adaptors)]
        return compile_portable(source, [AdaptorNames(adaptor.files.specifier, adaptor.exports) for adaptor in found]).code

    def _must_be_open(self) -> None:
        if self._closed:
            raise EngineClosed("The session is closed", fix="Use a session inside its `with` block, or open another one.")

    def _resolve(self, text: str) -> Adaptor:
        return self._repo.resolve(parse_specifier(text), install=self._install)


def run(
    program: Program,
    state: object = None,
    *,
    adaptors: str | Sequence[str] = (),
    credentials: Credentials | None = None,
    timeout_ms: int | None = None,
    on_log: LogSink | None = None,
) -> Result:
    """Runs a job or a workflow and gives its final state.

    ``state`` is the initial state as JSON values (None: empty ``data`` and ``configuration``). ``adaptors`` are those of a single job
    (a text is one adaptor); the jobs of a workflow name their own. ``credentials`` are looked up by the ids that jobs name. ``timeout_ms``
    bounds each job. ``on_log`` hears every log line, without secrets. What goes wrong inside jobs is in the result; raises InputError,
    CompileError, AdaptorProblem or EngineError for the rest.

    >>> result = run("export default [state => ({ greeting: `Hi ${state.data.name}` })]", {"data": {"name": "Ann"}})
    >>> result.state
    {'greeting': 'Hi Ann'}
    >>> result.ok
    True
    """
    with Session() as session:
        return session.run(program, state, adaptors=adaptors, credentials=credentials, timeout_ms=timeout_ms, on_log=on_log)


def compile(source: str, adaptors: str | Sequence[str] = ()) -> str:  # noqa: A001  the library's word; the builtin is not used here
    """The job as a JavaScript module that any OpenFn-compatible runtime executes. Raises CompileError or AdaptorProblem.

    >>> print(compile("const twice = x => x * 2;\\nfn(state => twice(state.data));"))
    const twice = x => x * 2;
    export default [fn(state => twice(state.data))];
    """
    with Session() as session:
        return session.compile(source, adaptors)


def load(program: Program, *, adaptors: str | Sequence[str] = ()) -> ExecutionPlan:
    """The plan that a path, a source, a workflow or the JSON of a plan stands for. Raises InputError.

    >>> [job.id for job in load({"steps": [{"id": "fetch", "expression": "get('/')"}]}).workflow.jobs]
    ['fetch']
    """
    texts = _adaptor_texts(adaptors)
    if isinstance(program, str):
        return ExecutionPlan(Workflow((Job("job-1", program, adaptors=texts),)))
    if isinstance(program, Path) and program.suffix == ".js":
        return job_plan(str(program), Path(), texts)
    if texts:
        raise InputError("Adaptors were given for a workflow", fix="Name the adaptors in the jobs of the workflow.")
    if isinstance(program, Path):
        return load_plan(str(program), Path())
    if isinstance(program, ExecutionPlan):
        return program
    return ExecutionPlan(program) if isinstance(program, Workflow) else read_plan(program)


def _adaptor_texts(adaptors: object) -> tuple[str, ...]:
    texts = (adaptors,) if isinstance(adaptors, str) else tuple(adaptors) if isinstance(adaptors, Iterable) else None
    if texts is None or not all(isinstance(text, str) for text in texts):
        raise InputError(f"Adaptors are texts, not {adaptors!r}", fix='Give a list of names, e.g. ["http@7.2.10"].')
    return texts


def _check_options(timeout_ms: object, on_log: object) -> None:
    if timeout_ms is not None and (isinstance(timeout_ms, bool) or not isinstance(timeout_ms, int) or timeout_ms < 0):
        raise InputError(f"timeout_ms cannot be {timeout_ms!r}", fix="Give a whole number of milliseconds, 0 for no limit, or None.")
    if on_log is not None and not callable(on_log):
        raise InputError(f"on_log cannot be {on_log!r}", fix="Give a function that takes a LogRecord, or None.")


def _resolver(credentials: object) -> CredentialResolver | None:
    if credentials is None:
        return None
    if callable(credentials):
        return _asking(credentials)
    if not isinstance(credentials, Mapping):
        message = f"credentials cannot be of type {type(credentials).__name__}"
        raise InputError(message, fix='Give {"id": {"user": "…"}}, a function from an id to such a dict, or None.')
    known = {identity: _configuration(identity, given) for identity, given in credentials.items()}

    def look_up(identity: str) -> Mapping[str, object]:
        if identity not in known:
            raise InputError(f"there is none among those given ({', '.join(map(str, known)) or 'none at all'})")
        return known[identity]

    return look_up


def _asking(function: Callable[[str], object]) -> CredentialResolver:
    """A resolver that asks the caller's function. Whatever that raises becomes an InputError, so that the Attempt can tell it."""

    def look_up(identity: str) -> Mapping[str, object]:
        try:
            given = function(identity)
        except KivukoError:
            raise
        except Exception as problem:
            raise InputError(f"{type(problem).__name__}: {problem}") from problem
        return _configuration(identity, given)

    return look_up


def _configuration(identity: object, given: object) -> Mapping[str, object]:
    """A configuration as a dict that can be written as JSON; messages name types, never values."""
    if not isinstance(given, Mapping):
        raise InputError(
            f"The credential {identity} is of type {type(given).__name__}", fix='A credential is a dict, such as {"user": "…"}.'
        )
    try:
        json.dumps(dict(given), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as problem:
        raise InputError(f"The credential {identity} is no JSON: {problem}", fix="Use dicts, lists, texts, numbers and None.") from problem
    return dict(given)


def _has_configuration(plan: ExecutionPlan) -> bool:
    workflow = plan.workflow
    return workflow.credentials is not None or any(job.configuration is not None for job in workflow.jobs)


def _state_value(state: bytes | None) -> object:
    try:
        return None if state is None else json.loads(state)
    except RecursionError as problem:
        message = "The final state is nested too deeply to become Python values"
        raise InputError(message, fix="Return a flatter state from the last operation, or run the job with the command line.") from problem


def _state_bytes(state: object) -> bytes:
    if state is None:
        return b'{"data":{},"configuration":{}}'
    try:
        written = json.dumps(state, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as problem:
        raise InputError(f"The initial state is no JSON: {problem}", fix="Use dicts, lists, texts, numbers and None.") from problem
    if not isinstance(state, dict):
        raise InputError("The initial state is JSON, but no object", fix='State is a dict such as {"data": {}}; nothing was run.')
    return written
