"""The final state as the command line hands it on."""

from __future__ import annotations

import json

import pytest

from kivuko.cli.attempt_run import _without_configuration
from kivuko.errors import InputError
from kivuko.runtime import AttemptResult
from kivuko.workflow import ExecutionPlan, Trigger, Workflow

PLAN = ExecutionPlan(Workflow((Trigger("hook"),)))


def ended(state: bytes) -> AttemptResult:
    return AttemptResult(reason="success", state=state, leaves={"hook": state})


def test_a_trigger_at_the_end_hands_on_no_credentials() -> None:
    state = _without_configuration(PLAN, ended(b'{"data":1,"configuration":{"token":"x"}}'))
    assert json.loads(state or b"") == {"data": 1}


def test_a_state_too_deep_to_take_credentials_out_is_refused() -> None:
    deep = b'{"a":' * 5000 + b"1" + b"}" * 5000
    with pytest.raises(InputError, match="nested too deeply"):
        _without_configuration(PLAN, ended(b'{"configuration":{"token":"x"},"data":' + deep + b"}"))
