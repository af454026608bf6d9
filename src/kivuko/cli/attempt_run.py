"""One Attempt for the command line: an engine, the adaptors, the walk, and the final state as it is printed."""

from __future__ import annotations

from kivuko.cli.adaptors_in_use import AdaptorsInUse
from kivuko.cli.attempt_log import AttemptLog
from kivuko.cli.call import Call
from kivuko.cli.output_file import Fill, Write
from kivuko.engines import Engine
from kivuko.runtime import AttemptResult, AttemptSettings, CompileSettings, Observer, Outside, Program, execute, prepare
from kivuko.runtime.hosts import host_key, run_limits
from kivuko.runtime.logs import SanitizePolicy
from kivuko.runtime.logs.durations import duration_text
from kivuko.value import fresh, value
from kivuko.workflow import ExecutionPlan

__all__ = ["Ending", "Manner", "run_plan"]


@value
class Manner:
    """How a plan is run, besides the plan itself."""

    settings: AttemptSettings
    compiling: CompileSettings = fresh(factory=CompileSettings)
    sanitize: SanitizePolicy = "none"
    on_event: Observer | None = None


@value
class Ending:
    """What came of an Attempt. ``state`` is the final state as JSON, None without one; ``indent`` writes it indented by two, in pieces."""

    result: AttemptResult
    program: Program
    state: bytes | None
    indent: Fill

    def document(self) -> bytes:
        """The final state indented by two, empty without state."""
        pieces: list[bytes] = []
        if self.state is not None:
            self.indent(pieces.append)
        return b"".join(pieces)


def run_plan(call: Call, engine: Engine, adaptors: AdaptorsInUse, plan: ExecutionPlan, state: bytes, manner: Manner) -> Ending:
    """Compile and walk a plan whose adaptors are there. Raises InputError, CompileError, EngineError."""
    progress = adaptors.progress
    progress.show("Compiling")
    printed = AttemptLog(call.log, progress, manner.sanitize)
    program = prepare(
        plan, adaptors.resolve, engine=engine, settings=manner.settings, compile_settings=manner.compiling, on_log=printed.hear
    )
    if manner.compiling.compiled:
        for prepared in program.jobs.values():
            if prepared.compiled is not None:
                call.log.info(f"Compiled {prepared.job.title} in {duration_text(prepared.compile_ms)}")
        call.log.success("Compiled all expressions in workflow")
    progress.show(f"Running {plan.workflow.title or 'the job'}")
    outside = Outside(on_log=printed.hear, on_event=manner.on_event)
    result = execute(program, state, engine, settings=manner.settings, outside=outside)
    progress.show("")
    final = result.state if result.has_output else None
    return Ending(result, program, final, lambda write: _indent(engine, program, manner.settings, final or b"", write))


def _indent(engine: Engine, program: Program, settings: AttemptSettings, state: bytes, write: Write) -> None:
    """Writes the state indented by two, by the host that the jobs ran in: another one would have to be started."""
    modules = [module for prepared in program.jobs.values() for module in prepared.loaded]
    engine.write_pretty(state, write, key=host_key(settings, "", modules), limits=run_limits(settings, None))
