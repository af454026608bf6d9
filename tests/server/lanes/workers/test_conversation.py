"""One worker and the lane: an Attempt from claim to end, in the words of the wire."""

from __future__ import annotations

from kivuko.records import AttemptState, ExitReason, new_id
from server.lanes.workers.worlds import World, chain


def test_a_worker_of_ours_takes_an_attempt_to_its_end(any_world: World) -> None:
    world, document = any_world, chain("One", "Two")
    started = world.send(document, b'{"a":1}')
    worker = world.worker()
    (run,) = worker.claim()
    assert run["id"] == str(started.attempt_id)
    assert (run["claim_number"], run["project_id"]) == (1, str(document.project_id))
    assert worker.join(run) == {"first_seq": 1}
    topic = f"run:{run['id']}"
    plan = worker.do(topic, "fetch:plan")
    first, second = document.jobs
    assert [job["id"] for job in plan["jobs"]] == [str(first.id), str(second.id)]
    assert plan["runs"] == []
    assert [each["id"] for each in plan["queued"]] == [str(started.run_ids[0])]
    assert worker.do(topic, "fetch:dataclip", {"id": plan["dataclip_id"]}) == b'{"data":{"a":1},"request":{"method":"POST"}}'

    (step,) = worker.do(topic, "run:start", {"timestamp": "1", "next": [{"job_id": str(first.id)}]})["run_ids"]
    assert step == str(started.run_ids[0])
    worker.do(topic, "step:start", {"step_id": step, "job_id": str(first.id), "timestamp": "2", "credential_id": None})
    logs = [{"seq": 1, "message": "hello", "source": "JOB", "level": "info", "timestamp": "3", "step_id": step}]
    assert worker.do(topic, "run:batch_logs", {"logs": logs}) == {}
    clip = str(new_id())
    answer = worker.do(
        topic,
        "step:complete",
        {
            "step_id": step,
            "job_id": str(first.id),
            "reason": "success",
            "output_dataclip": b'{"data":1}',
            "output_dataclip_id": clip,
            "next": [{"job_id": str(second.id), "cause": "edge", "input_dataclip_id": clip}],
            "mem": {"job": 1000},
        },
    )
    (second_step,) = answer["run_ids"]
    worker.do(topic, "step:start", {"step_id": second_step, "job_id": str(second.id)})
    last = str(new_id())
    done = {"step_id": second_step, "job_id": str(second.id), "reason": "success", "output_dataclip": b"2", "output_dataclip_id": last}
    assert worker.do(topic, "step:complete", done) == {"step_id": second_step, "run_ids": []}
    assert worker.do(topic, "run:complete", {"reason": "success", "final_dataclip_id": last, "executed_ms": 7}) == {"state": "success"}

    attempt = world.attempt(started.attempt_id)
    assert (attempt.state, attempt.executed_ms) == (AttemptState.SUCCESS, 7)
    assert world.clip(attempt.final_dataclip_id) == b"2"
    one, two = world.runs(attempt.id)
    assert (one.exit_reason, two.exit_reason) == (ExitReason.SUCCESS, ExitReason.SUCCESS)
    assert world.clip(one.output_dataclip_id) == world.clip(two.input_dataclip_id) == b'{"data":1}'
    assert (two.parent_run_id, one.memory_bytes) == (one.id, 1000)
    (line,) = world.lines(attempt.id)
    assert (line.message, line.run_id, line.seq, line.at_us) == ("hello", one.id, 1, 3)
    assert worker.claim() == []
