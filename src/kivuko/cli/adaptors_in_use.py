"""The adaptors of a command: named by flags or a plan, expanded, installed when they are missing, and handed to the runtime."""

from __future__ import annotations

import importlib
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from kivuko.adaptors import (
    Adaptor,
    Notice,
    Repo,
    RepoSettings,
    Specifier,
    monorepo_folders,
    monorepo_specifier,
    parse_specifier,
)
from kivuko.cli.call import Call
from kivuko.cli.progress import Progress
from kivuko.cli.repo_folder import repo_folder
from kivuko.engines import Engine, HostKey, Limits, ModuleFiles
from kivuko.errors import AdaptorProblem, InputError, OptionInvalid
from kivuko.value import fresh, replace, value
from kivuko.workflow import ExecutionPlan, Job

__all__ = ["AdaptorsInUse", "FoundAdaptor"]


@value
class FoundAdaptor:
    """An adaptor as the runtime takes it."""

    specifier: str
    exports: tuple[str, ...]
    files: ModuleFiles


@value
class AdaptorsInUse:
    """Resolves what plans and flags name. ``monorepo`` holds the folders of ``-m``, empty without it."""

    call: Call
    repo: Repo
    progress: Progress
    monorepo: tuple[Path, ...] = ()
    _found: dict[str, Adaptor] = fresh(factory=dict)

    @classmethod
    def of(cls, call: Call, engine: Engine, progress: Progress) -> AdaptorsInUse:
        """Ready to resolve, by the flags of a command. Raises OptionInvalid for a wrong ``-m``, NodeMissing."""
        repo = Repo(repo_folder(call), loader=engine, settings=RepoSettings.from_environment(call.environment))
        return cls(call, repo, progress, monorepo_of(call))

    def specifier(self, text: str) -> Specifier:
        """What a text names, expanded and looked up in the monorepo as the flags say. Raises AdaptorProblem."""
        parsed = parse_specifier(text, expand=self.call.arguments.flag("expand-adaptors", True))
        if self.monorepo:
            if parsed.version and not parsed.path:
                self.call.log.warn(f"Ignoring version specifier on {parsed}")
            return monorepo_specifier(parsed, self.monorepo)
        return parsed

    def expand(self, plan: ExecutionPlan) -> ExecutionPlan:
        """The plan with every adaptor's text in its full form."""
        return _with_adaptors(plan, {text: str(self.specifier(text)) for text in adaptors_of(plan)})

    def install(self, plan: ExecutionPlan) -> ExecutionPlan:
        """Install what an expanded plan needs and is missing; gives the plan with the versions that were found. Raises AdaptorProblem."""
        if self.monorepo:
            self.call.log.info("Skipping auto-install as monorepo is being used")
        began, installed = time.monotonic(), False

        def hear(notice: Notice) -> None:
            nonlocal installed
            if notice.kind == "installing" and not installed:
                installed = True
                self.call.log.always("Installing packages...")
            self.hear(notice)

        texts: dict[str, str] = {}
        for text in adaptors_of(plan):
            specifier = parse_specifier(text, expand=False)
            adaptor = self.repo.resolve(specifier, install=True, progress=hear)
            texts[text] = text if specifier.path else f"{adaptor.name}@{adaptor.version}"
            self._found[texts[text]] = adaptor
            if not specifier.path and not installed:
                self.call.log.info(f"Skipping {adaptor.name}@{adaptor.version} as already installed")
            self.call.log.info(f"Resolved adaptor {adaptor.name} to version {adaptor.version}")
        self.progress.show("")
        if installed:
            duration_text = importlib.import_module("kivuko.runtime.logs").duration_text  # the runtime is imported while hosts start
            self.call.log.success(f"Installation complete in {duration_text((time.monotonic() - began) * 1000)}")
        return _with_adaptors(plan, texts)

    def start_host(self, engine: Engine, plan: ExecutionPlan, memory_mb: int) -> None:
        """Start the host that the runtime will ask for, and go on: Node starts and loads the adaptors while Python imports and compiles.

        The key and the limits are those of ``kivuko.runtime.prepare`` for a command line; another key would only cost this head start.
        """
        try:
            files = {found.files.key: found.files for found in map(self.resolve, adaptors_of(plan))}
        except AdaptorProblem:
            return  # the job that needs it tells
        key = HostKey("local", "", tuple(files[name] for name in sorted(files)))
        engine.prepare(key, attempt="1", limits=Limits(timeout_ms=None, memory_mb=memory_mb))

    def resolve(self, text: str, /) -> FoundAdaptor:
        """An adaptor or module that is there already. Raises AdaptorProblem."""
        adaptor = self._found.get(text)
        if adaptor is None:
            adaptor = self.repo.resolve(parse_specifier(text, expand=False), install=False, progress=self.hear)
            self._found[text] = adaptor
        return FoundAdaptor(adaptor.files.specifier, adaptor.exports, adaptor.files)

    def hear(self, notice: Notice) -> None:
        """Log what the store tells, and show what takes long."""
        if notice.kind in ("installing", "bundling", "waiting"):
            self.progress.show(notice.text)
        self.progress.clear()
        self.call.log.write(notice.level, "CLI", (notice.text,), notice.text)


def monorepo_of(call: Call) -> tuple[Path, ...]:
    """The folders of ``-m``, empty without it. Raises OptionInvalid."""
    if not call.arguments.flag("use-adaptors-monorepo"):
        return ()
    try:
        folders = monorepo_folders(call.environment)
    except InputError as problem:
        raise OptionInvalid("use-adaptors-monorepo", problem.message, fix=problem.fix) from problem
    call.log.success(f"Loading adaptors from monorepo at {', '.join(map(str, folders))}")
    return folders


def adaptors_of(plan: ExecutionPlan) -> Iterable[str]:
    """The distinct adaptors of a plan, in order."""
    return dict.fromkeys(text for job in plan.workflow.jobs for text in job.adaptors)


def _with_adaptors(plan: ExecutionPlan, texts: Mapping[str, str]) -> ExecutionPlan:
    if all(text == written for text, written in texts.items()):
        return plan
    nodes = tuple(
        replace(node, adaptors=tuple(texts.get(text, text) for text in node.adaptors)) if isinstance(node, Job) else node
        for node in plan.workflow.nodes
    )
    return replace(plan, workflow=replace(plan.workflow, nodes=nodes))
