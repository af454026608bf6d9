"""Plans made ready, kept by their snapshot: compiled and checked once, with their adaptors installed when somebody needs them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass

from kivuko.adaptors import Adaptor, Notice, Repo, parse_specifier
from kivuko.engines import ModuleFiles
from kivuko.errors import AdaptorProblem, InstallFailed, InvalidSpecifier
from kivuko.runtime import AttemptSettings, CompileSettings, Program, RunEngine, prepare
from kivuko.value import replace
from kivuko.worker.plan import JobTraits, read_execution_plan, read_traits
from kivuko.workflow import ExecutionPlan

__all__ = ["Prepared", "Programs"]

_KEPT = 256
_BY_NAME = "Publish the adaptor, or lay it into the worker's folder of adaptors, and name it as @scope/name@version."

Say = Callable[[str, str], None]
"""Hears what takes long: level and text."""


@dataclass(frozen=True)
class Prepared:
    """A program, and what its plan says of jobs."""

    program: Program
    traits: JobTraits

    def starting_at(self, start: str) -> Program:
        """The program of one Attempt, which begins at this node."""
        plan = self.program.plan
        return replace(self.program, plan=replace(plan, options=replace(plan.options, start=start)))


class Programs:
    """Makes plans ready, for any thread; two who need the same one wait for the same work.

    ``share`` opens an adaptor's files to hosts that are another user.
    """

    def __init__(self, engine: RunEngine, repo: Repo, *, install: bool, share: Callable[[ModuleFiles], None] = lambda files: None) -> None:
        self._engine = engine
        self._repo = repo
        self._install = install
        self._share = share
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Future[Prepared]] = OrderedDict()

    def get(self, snapshot_id: str, plan: Mapping[str, object], settings: AttemptSettings, say: Say) -> Prepared:
        """The program of a plan. Raises PlanError, InstallFailed, InputError, EngineError.

        ``say`` hears of installing while it happens; an empty ``snapshot_id`` is never kept.
        """
        with self._lock:
            waiting = self._kept.get(snapshot_id)
            if waiting is not None:
                self._kept.move_to_end(snapshot_id)
            else:
                made: Future[Prepared] = Future()
                self._kept[snapshot_id] = made
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
        if waiting is not None:
            return waiting.result()
        try:
            made.set_result(self._prepare(plan, settings, say))
        except BaseException as problem:
            made.set_exception(problem)
            raise
        finally:
            if made.exception() is not None or not snapshot_id:
                with self._lock:
                    self._kept.pop(snapshot_id, None)
        return made.result()

    def _prepare(self, plan: Mapping[str, object], settings: AttemptSettings, say: Say) -> Prepared:
        found = read_execution_plan(plan)
        adaptors = self._adaptors(found, say)
        program = prepare(
            found,
            lambda text: adaptors[text] if text in adaptors else self._resolve(text, say),
            engine=self._engine,
            settings=settings,
            compile_settings=CompileSettings(strict=False),
        )
        return Prepared(program, read_traits(plan, found.workflow))

    def _adaptors(self, plan: ExecutionPlan, say: Say) -> dict[str, FoundAdaptor]:
        """Every adaptor of the workflow, all there before anything runs: one that cannot be had ends the Attempt (worker-protocol §7)."""
        found: dict[str, FoundAdaptor] = {}
        problems = []
        for text in dict.fromkeys(text for job in plan.workflow.jobs for text in job.adaptors):
            try:
                found[text] = self._resolve(text, say)
            except AdaptorProblem as problem:
                problems.append(f"Error installing {text}: {problem.message}" + (f"\n{problem.details}" if problem.details else ""))
        if problems:
            raise InstallFailed("\n".join(problems))
        return found

    def _resolve(self, text: str, say: Say) -> FoundAdaptor:
        def hear(notice: Notice) -> None:
            say("info" if notice.level == "success" else notice.level, notice.text)

        named = parse_specifier(text, expand=False)
        if named.path:
            # A plan comes from elsewhere: it names packages, never what lies on this machine.
            raise InvalidSpecifier(f"{text!r} names a folder, and a worker takes adaptors by their names only.", fix=_BY_NAME)
        found = FoundAdaptor.of(self._repo.resolve(named, install=self._install, progress=hear))
        self._share(found.files)
        return found


@dataclass(frozen=True)
class FoundAdaptor:
    """An adaptor as the compiler and the host need it."""

    specifier: str
    exports: tuple[str, ...]
    files: ModuleFiles

    @classmethod
    def of(cls, adaptor: Adaptor) -> FoundAdaptor:
        """The same in three values."""
        return cls(adaptor.files.specifier, adaptor.exports, adaptor.files)
