"""What is printed of a workflow holds no secret."""

from __future__ import annotations

from kivuko.engines import HostKey, RunRequest
from kivuko.workflow import Job, Workflow


def test_no_configuration_state_or_secret_is_in_a_repr() -> None:
    job = Job("a", "fn()", configuration={"password": "hunter22"}, state={"data": "hunter22"})
    workflow = Workflow((job,), credentials={"token": "hunter22"})
    request = RunRequest(HostKey("p", "hunter22"), "1", "a", "a", "", "", b"hunter22", configuration=b"hunter22", secrets=("hunter22",))
    for printed in (repr(job), repr(workflow), repr(request)):
        assert "hunter22" not in printed
        assert "a" in printed
