"""What an end starts elsewhere: success and failure triggers, across workflows, never without end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest

from kivuko.records.database import Database
from kivuko.records.ids import Id, new_id
from kivuko.records.rows import Attempt, Notice, OnceOnly, Run, StartGuard, WorkOrder
from kivuko.records.rules import DEEPEST_CHAIN, NoRules, RunEnd, WorkflowEnd
from kivuko.records.starting import Start, new_start
from kivuko.records.states import Cause, ExitReason, JobResult, NoticeKind, Once
from records.scenes import Scene
from records.workers import begun, claim, clip

End = RunEnd | WorkflowEnd


class Triggers(NoRules):
    """Triggers as a list of (does it listen to this end, what it starts)."""

    def __init__(self) -> None:
        self.listening: list[tuple[Callable[[End], bool], Cause, Id]] = []
        self.workflow_id = new_id()
        self.seen: list[End] = []

    def followers(self, end: End) -> Sequence[Start]:
        self.seen.append(end)
        return [
            new_start(self.workflow_id, new_id(), new_id(), cause, (job,), trigger_id=new_id())
            for hears, cause, job in self.listening
            if hears(end)
        ]


@pytest.fixture
def triggers() -> Triggers:
    return Triggers()


@pytest.fixture
def scene(database: Database, triggers: Triggers) -> Iterator[Scene]:
    opened = Scene(database, triggers)
    yield opened
    opened.close()


def test_a_success_trigger_starts_once_with_the_output_and_the_root_message(scene: Scene, triggers: Triggers) -> None:
    job = new_id()
    triggers.listening.append((lambda end: isinstance(end, RunEnd) and end.succeeded and end.job_id != job, Cause.SUCCESS, job))
    hand = begun(scene)
    (run,) = hand.runs()
    output = clip(scene, hand)
    for _ in range(2):
        hand.end(run.id, output=output)
    order = scene.one(WorkOrder, "WHERE cause = 4")
    assert (order.parent_run_id, order.depth, order.dataclip_id, order.message_id) == (run.id, 1, output.id, run.message_id)
    follower = scene.one(Run, "WHERE job_id = ?", job)
    assert (follower.cause, follower.run_number, follower.input_dataclip_id) == (Cause.SUCCESS, 2, output.id)
    assert scene.job_states()[run.message_id, job].state is JobResult.IN_PROGRESS
    assert scene.one(OnceOnly).kind is Once.CHAIN
    assert len(scene.rows(StartGuard)) == 1
    assert scene.job_states() == scene.calculated()
    hand.finish()
    second = claim(scene)
    second.start()
    second.end(follower.id)
    second.finish()
    assert scene.job_states()[run.message_id, job].state is JobResult.SUCCESS


@pytest.mark.parametrize(
    ("reason", "error_type"),
    [
        (ExitReason.FAIL, "JobError"),
        (ExitReason.KILL, "TimeoutError"),
        (ExitReason.KILL, "OOMError"),
        (ExitReason.CRASH, "CompileError"),
        (ExitReason.LOST, "LostAfterStart"),
    ],
)
def test_a_failure_trigger_fires_for_every_way_to_fail(scene: Scene, triggers: Triggers, reason: ExitReason, error_type: str) -> None:
    job = new_id()
    triggers.listening.append((lambda end: isinstance(end, RunEnd) and not end.succeeded and not end.cancelled, Cause.FAILURE, job))
    triggers.lost_retries = lambda workflow_id: 0  # type: ignore[method-assign]
    hand = begun(scene)
    if reason is ExitReason.LOST:
        hand.die()
    else:
        hand.finish(reason, error_type)
    assert scene.one(Run, "WHERE job_id = ?", job).cause is Cause.FAILURE


def test_a_lost_run_that_is_retried_fires_nothing_yet(scene: Scene, triggers: Triggers) -> None:
    begun(scene).die()
    assert triggers.seen == []


def test_cancelled_and_dropped_runs_fire_no_failure_trigger(scene: Scene, triggers: Triggers) -> None:
    triggers.listening.append((lambda end: not end.succeeded and not end.cancelled, Cause.FAILURE, new_id()))
    hand = begun(scene, new_id(), new_id())
    hand.cancel()
    hand.finish(ExitReason.CANCEL)
    assert all(end.cancelled for end in triggers.seen)
    assert len(scene.rows(WorkOrder)) == 1


def test_the_end_of_a_workflow_is_told_once(scene: Scene, triggers: Triggers) -> None:
    hand = begun(scene)
    hand.end(hand.runs()[0].id)
    for _ in range(2):
        hand.finish()
    assert [type(end) for end in triggers.seen] == [RunEnd, WorkflowEnd]


def test_a_ping_pong_of_triggers_is_stopped_and_told(scene: Scene, triggers: Triggers) -> None:
    triggers.listening.append((lambda end: isinstance(end, RunEnd) and end.succeeded, Cause.SUCCESS, new_id()))
    scene.accept(scene.start())
    for _ in range(DEEPEST_CHAIN + 1):
        hand = claim(scene)
        hand.end(hand.runs()[0].id)
        hand.finish()
    orders = scene.rows(WorkOrder)
    assert [order.depth for order in orders] == list(range(DEEPEST_CHAIN + 1))
    assert [notice.kind for notice in scene.rows(Notice)] == [NoticeKind.CHAIN_TOO_DEEP]
    assert scene.job_states() == scene.calculated()


def test_a_lost_job_that_nobody_retries_goes_its_failure_edges(scene: Scene, triggers: Triggers) -> None:
    rescue = new_id()
    triggers.lost_retries = lambda workflow_id: 0  # type: ignore[method-assign]
    triggers.failure_jobs = lambda snapshot_id, job_id: [rescue]  # type: ignore[method-assign]
    hand = begun(scene)
    (lost,) = hand.runs()
    hand.die()
    path = scene.one(Attempt, "WHERE retry_of = ?", hand.id)
    (run,) = scene.rows(Run, "WHERE attempt_id = ?", path.id)
    assert (path.cause, run.job_id, run.cause, run.parent_run_id, run.message_id) == (
        Cause.FAILURE,
        rescue,
        Cause.FAILURE,
        lost.id,
        lost.message_id,
    )
    assert not any(isinstance(end, WorkflowEnd) for end in triggers.seen)
    rescuer = claim(scene)
    rescuer.start()
    rescuer.end(run.id)
    rescuer.finish()
    assert isinstance(triggers.seen[-1], WorkflowEnd)
    assert scene.job_states() == scene.calculated()
