"""Where a run starts: the chosen steps, and the state that the first of them gets (cli.md §3.1, §5.6)."""

from __future__ import annotations

import sys
from pathlib import Path

from kivuko.cli.call import Call
from kivuko.cli.input_state import read_state_file, read_state_text
from kivuko.cli.step_cache import StepCache
from kivuko.cli.step_choice import choose_step
from kivuko.value import replace
from kivuko.workflow import ExecutionPlan

__all__ = ["DEFAULT_STATE", "chosen_steps", "initial_state", "written_again"]

DEFAULT_STATE = b'{"data":{},"configuration":{}}'


def chosen_steps(call: Call, plan: ExecutionPlan) -> ExecutionPlan:
    """The plan that starts and ends where ``--start``, ``--end`` and ``--only`` say. Raises UnknownStart."""
    steps = [(node.id, node.name) for node in plan.workflow.nodes]
    only, start, end = (call.arguments.text(name) for name in ("only", "start", "end"))
    options = plan.options
    if only is not None:
        chosen = choose_step(only, "only", steps)
        call.log.always(f'Only running workflow step "{chosen}"')
        return replace(plan, options=replace(options, start=chosen, end=chosen))
    if start is not None:
        options = replace(options, start=choose_step(start, "start", steps))
        call.log.info(f'Starting workflow from step "{options.start}"')
    if end is not None:
        options = replace(options, end=choose_step(end, "end", steps))
        call.log.always(f'Ending workflow at step "{options.end}"')
    return replace(plan, options=options)


def initial_state(call: Call, plan: ExecutionPlan, cache: StepCache, folder: Path) -> bytes:
    """The state of ``-S``, else of ``-s``, else what the step before the chosen start left in the cache, else the default (JSON).

    Raises InputError of several kinds: nothing runs on an input that was not meant.
    """
    given = call.arguments
    text, path = given.text("state-stdin"), given.text("state-path")
    if text is not None:
        state = read_state_text(text, sys.stdin.buffer.read)
        call.log.success("Read state from stdin")
        return state
    if path is not None:
        state = read_state_file(path, call.folder)
        call.log.success(f"Loaded state from {path}")
        return state
    if given.has("start") or given.has("only"):
        cached = _cached_input(call, plan, cache)
        if cached is not None:
            return cached
    elif (folder / "state.json").is_file():
        call.log.always("state.json lies beside the job, but it is not read by itself: give it with -s")
    call.log.info("No state provided - using default state { data: {}, configuration: {} }")
    return DEFAULT_STATE


def written_again(call: Call, plan: ExecutionPlan) -> set[str] | None:
    """The steps whose kept outputs a run replaces: those from the chosen start on, up to the end. None, all, when no start was chosen."""
    if not call.arguments.has("start") and not call.arguments.has("only"):
        return None
    nodes, reached, waiting = plan.workflow.by_id(), {plan.start}, [plan.start]
    while waiting:
        name = waiting.pop()
        if name == plan.options.end or name not in nodes:
            continue
        fresh = {edge.target for edge in nodes[name].edges} - reached
        reached |= fresh
        waiting.extend(fresh)
    return reached


def _cached_input(call: Call, plan: ExecutionPlan, cache: StepCache) -> bytes | None:
    call.log.always(f'Attempting to load cached input state for starting step "{plan.start}"')
    before = plan.workflow.upstream_of(plan.start)
    state = None if before is None else cache.read(before.id)
    if before is None or state is None:
        call.log.warn(f'No cached state found for step "{plan.start}"')
        call.log.warn("Run the workflow with --cache-steps first, or give the state with -s")
        return None
    call.log.success(f'Loaded cached state for step "{plan.start}" from {cache.file(before.id)}')
    return state
