"""``kivuko test``: a small built-in workflow, to see that compiling, running and logging work on this machine."""

from __future__ import annotations

import json
import sys
import time

from kivuko.cli.adaptors_in_use import AdaptorsInUse
from kivuko.cli.arguments import Option
from kivuko.cli.attempt_run import Manner, run_plan
from kivuko.cli.call import Call
from kivuko.cli.closing import fail_run
from kivuko.cli.commands import Command
from kivuko.cli.input_state import read_state_text
from kivuko.cli.own_engine import open_engine
from kivuko.cli.progress import Progress
from kivuko.cli.shared import JSON, REPO_DIR
from kivuko.cli.versions import log_versions, part_versions
from kivuko.errors import KivukoError
from kivuko.runtime import AttemptSettings
from kivuko.workflow import Edge, ExecutionPlan, Job, Workflow

__all__ = ["COMMAND", "self_test"]

_START = """const say = text => state => { console.log(text); return state; };
say('Starting computer...')
"""
_THINK = """const say = text => state => { console.log(text); return state; };
say('Asking for the answer to everything...')
"""
_ANSWER = """const answer = value => state => ({ ...state, data: { answer: value(state) } });
answer(state => state.data.answer ?? state.data.known)
"""
PLAN = ExecutionPlan(
    Workflow(
        (
            Job("start", _START, state={"data": {"known": 42}}, edges=(Edge("think"),)),
            Job("think", _THINK, edges=(Edge("answer"),)),
            Job("answer", _ANSWER),
        ),
        name="self-test",
    )
)


def self_test(call: Call) -> int:
    """Run the three steps and print the answer: 42, or the ``data.answer`` of ``-S``."""
    log_versions(call.log, part_versions())
    call.report_dotenv()
    began = time.monotonic()
    call.log.always("Running test workflow...")
    text = call.arguments.text("state-stdin")
    state = b"{}" if text is None else read_state_text(text, sys.stdin.buffer.read)
    if text is None:
        call.log.info("""No state provided: -S '{"data":{"answer":33}}' gives another answer""")
    with open_engine(call) as engine, Progress(call) as progress:
        adaptors = AdaptorsInUse.of(call, engine, progress)
        try:
            ending = run_plan(call, engine, adaptors, PLAN, state, Manner(AttemptSettings(debug=call.log.prints("debug", "R/T"))))
        except KivukoError as problem:
            return fail_run(call, problem, PLAN, began)
    if ending.state is None or not ending.result.has_output:
        call.result({"exit": 1, "answer": None})
        return 1
    answer = json.loads(ending.state)["data"]["answer"]
    call.log.success(f"Result: {answer if isinstance(answer, str) else json.dumps(answer)}")
    call.result({"exit": 0, "answer": answer})
    return 0


COMMAND = Command(
    name="test",
    run=self_test,
    options=(Option("state-stdin", "State to start with, as JSON; - reads standard input", ("S",), "text"), JSON, REPO_DIR),
    about="Runs a built-in workflow of three steps and prints 42, to see that everything works on this machine.",
    examples=("test", """test -S '{"data":{"answer":33}}'"""),
    log_level="info",
    versions=True,
)
