"""Bulk reruns: what was selected, in order, throttled, followed, cancelled, gone on with (platform §2.3, R-065, api.md §6)."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from clockwork.worlds import Parts, World
from kivuko.errors import Conflict, ObjectMissing, ValidationFailed
from kivuko.platform.inbox.models import Inbox
from kivuko.platform.operations.bulk import IDS_A_PART, cancel_operation, create_bulk_rerun, operation, without_followers
from kivuko.platform.operations.models import OperationRow
from kivuko.platform.operations.reruns import matches_of_message, rerun_of_run, run_of_message
from kivuko.platform.operations.running import OperationRunner
from kivuko.platform.operations.views import OperationView
from kivuko.records import (
    Cause,
    Edit,
    ExitReason,
    Id,
    Ingest,
    Message,
    MessageVersion,
    Part,
    Run,
    WipeBodies,
    WorkOrder,
    new_id,
)

NEWEST = Id(b"\xff" * 16)


@dataclass
class Desk:
    """An inbox whose messages were worked on, and the runner. ``now_s`` is the runner's clock."""

    world: World
    inbox_id: Id
    parts: Parts
    now_s: float = 1000.0

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """As after a start of the server."""
        self.runner = OperationRunner(self.world.records, monotonic_s=lambda: self.now_s)

    def message(self, body: object = None) -> Id:
        """A message that came before there were filters: nothing was started."""
        message_id = new_id()
        stored = self.world.records.payloads.store(message_id, json.dumps(body if body is not None else {"form": "Referral"}).encode())
        message = Message(message_id, self.world.project_id, inbox_id=self.inbox_id)
        version = MessageVersion(message_id, 1, self.world.project_id, stored.encoding, stored.body, None, stored.size_bytes, 0)
        self.world.do(Ingest(message, version))
        return message_id

    def run(self, message_id: Id, job: int = 0) -> Id:
        """A Run of a job on it that failed, an hour ago as far as the 10-second rule knows."""
        intent = run_of_message(message_id, self.parts.jobs[job])
        self.world.do(intent)
        self.world.work(reason=ExitReason.FAIL, error_type="JobError", output={"n": 1})
        self.forget_guards()
        return intent.start.runs[0][0]

    def forget_guards(self) -> None:
        """Ten seconds pass."""
        connection = self.world.records.database.connect()
        connection.query("DELETE FROM start_guard")
        connection.close()

    def orders(self) -> list[WorkOrder]:
        """What was started again."""
        return [order for order in self.world.rows(WorkOrder) if order.cause is Cause.RERUN]

    def work(self, made: OperationView) -> OperationView:
        """Works until nothing is left; how the operation is then."""
        while self.runner.work():
            pass
        self.runner.work()
        found = operation(made.id)
        assert found is not None
        return found


@pytest.fixture
def desk(world: World) -> Desk:
    inbox = Inbox.objects.create(project_id=world.project_id, name="forms")
    trigger = {"kind": "message", "inbox_id": str(inbox.id), "inclusion": {"form": "Referral"}}
    return Desk(world, inbox.id, world.save(trigger, [{}, {}]))


def test_runs_run_again_in_the_order_that_was_asked_for(desk: Desk) -> None:
    runs = [desk.run(desk.message()) for _ in range(4)][::-1]
    made = create_bulk_rerun(desk.world.project_id, subject="runs", ids=runs, filter={"state": ["failed"]})
    assert (made.state, made.total, made.done, made.result) == ("queued", 4, 0, None)
    ended = desk.work(made)
    assert (ended.state, ended.done, ended.skipped, ended.failed) == ("done", 4, 0, 0)
    assert ended.result == {"work_orders": 4}
    assert ended.started_at is not None
    assert ended.finished_at is not None
    old = {run.id: run for run in desk.world.rows(Run)}
    assert [order.message_id for order in desk.orders()] == [old[run].message_id for run in runs]
    assert {run.cause for run in desk.world.rows(Run) if run.id not in runs} == {Cause.RERUN}


def test_messages_run_again_by_what_matches_now(desk: Desk) -> None:
    matching, other = desk.message(), desk.message({"form": "Payment"})
    ended = desk.work(create_bulk_rerun(desk.world.project_id, subject="messages", ids=[matching, other]))
    assert (ended.done, ended.skipped, ended.skipped_reasons) == (1, 1, {"no_match": 1})
    assert [run.job_id for run in desk.world.rows(Run)] == list(desk.parts.jobs)


def test_messages_run_again_from_a_job(desk: Desk) -> None:
    made = create_bulk_rerun(
        desk.world.project_id, subject="messages", ids=[desk.message(), desk.message({"form": "x"})], start=desk.parts.jobs[1]
    )
    assert desk.work(made).done == 2
    assert {run.job_id for run in desk.world.rows(Run)} == {desk.parts.jobs[1]}


def test_what_cannot_be_started_is_skipped_with_its_reason(desk: Desk) -> None:
    too_soon, wiped = desk.message(), desk.message()
    desk.world.do(run_of_message(too_soon, desk.parts.jobs[0]))
    desk.world.work()
    desk.world.do(WipeBodies(desk.world.project_id, Part.MESSAGES, NEWEST))
    fine = desk.message()
    busy = desk.message()
    desk.world.do(run_of_message(busy, desk.parts.jobs[0]))
    made = create_bulk_rerun(
        desk.world.project_id, subject="messages", ids=[too_soon, wiped, fine, busy, new_id()], start=desk.parts.jobs[0]
    )
    ended = desk.work(made)
    assert (ended.state, ended.total, ended.done, ended.skipped, ended.failed) == ("done", 5, 1, 4, 0)
    assert ended.skipped_reasons == {"wiped": 2, "too_soon": 1, "missing": 1}


def test_runs_that_follow_another_one_wait_for_it(desk: Desk) -> None:
    """R-065: three A-Runs and their three B-Runs in the filter start three A; B follows."""
    world = desk.world
    world.save({"kind": "failure", "source_job_id": str(desk.parts.jobs[0])}, [{}], name="Catch")
    first = [desk.run(desk.message()) for _ in range(3)]
    caught = [run.id for run in world.rows(Run) if run.id not in first]
    assert len(caught) == 3
    assert without_followers([*caught, *first]) == first
    assert without_followers(caught) == caught
    ended = desk.work(create_bulk_rerun(world.project_id, subject="runs", ids=[*caught, *first]))
    assert (ended.total, ended.done, ended.skipped_reasons) == (6, 3, {"follows_another": 3})
    world.work(reason=ExitReason.FAIL)
    assert len(world.rows(Run)) == 12


def test_a_rate_is_kept(desk: Desk) -> None:
    messages = [desk.message() for _ in range(6)]
    made = create_bulk_rerun(desk.world.project_id, subject="messages", ids=messages, start=desk.parts.jobs[0], rate_per_s=2)
    started = []
    for _ in range(4):
        desk.runner.work()
        started.append(len(desk.orders()))
        desk.now_s += 1.0
    assert started == [1, 3, 5, 6]
    # A pause is not caught up with a burst.
    assert desk.work(made).state == "done"


def test_a_cancelled_operation_starts_nothing_more(desk: Desk) -> None:
    messages = [desk.message() for _ in range(30)]
    made = create_bulk_rerun(desk.world.project_id, subject="messages", ids=messages, start=desk.parts.jobs[0])
    desk.runner.work()
    assert cancel_operation(made.id).state == "running"
    ended = desk.work(made)
    assert (ended.state, ended.done) == ("cancelled", 25)
    assert len(desk.orders()) == 25
    with pytest.raises(Conflict):
        cancel_operation(made.id)


def test_one_that_has_not_begun_is_cancelled_at_once(desk: Desk) -> None:
    made = create_bulk_rerun(desk.world.project_id, subject="messages", ids=[desk.message()])
    assert cancel_operation(made.id).state == "cancelled"
    assert desk.work(made).done == 0
    with pytest.raises(ObjectMissing):
        cancel_operation(new_id())


def test_a_restart_goes_on_where_it_was_and_starts_nothing_twice(desk: Desk) -> None:
    messages = [desk.message() for _ in range(30)]
    made = create_bulk_rerun(desk.world.project_id, subject="messages", ids=messages, start=desk.parts.jobs[0])
    desk.runner.work()
    # As if the server had died before it noted how far it was.
    OperationRow.objects.update(position=10, done=10, started_work_orders=10)
    desk.restart()
    ended = desk.work(made)
    assert (ended.state, ended.done, ended.skipped_reasons) == ("done", 30, {})
    assert len(desk.orders()) == 30


def test_two_operations_take_turns(desk: Desk) -> None:
    messages = [[desk.message() for _ in range(30)] for _ in range(2)]
    made = [create_bulk_rerun(desk.world.project_id, subject="messages", ids=each, start=desk.parts.jobs[0]) for each in messages]
    desk.runner.work()
    assert [found.done for each in made if (found := operation(each.id))] == [25, 25]


def test_more_than_a_part_is_kept_in_order(desk: Desk) -> None:
    ids = [new_id() for _ in range(IDS_A_PART + 30)]
    ended = desk.work(create_bulk_rerun(desk.world.project_id, subject="messages", ids=ids, start=desk.parts.jobs[0]))
    assert (ended.state, ended.skipped_reasons) == ("done", {"missing": len(ids)})


def test_an_empty_selection_is_done_at_once(desk: Desk) -> None:
    assert desk.work(create_bulk_rerun(desk.world.project_id, subject="runs", ids=[])).state == "done"
    assert operation(new_id()) is None


@pytest.mark.parametrize("wrong", [{"subject": "attempts"}, {"rate_per_s": 0}], ids=["subject", "rate"])
def test_what_cannot_be_done_is_refused(desk: Desk, wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationFailed):
        create_bulk_rerun(desk.world.project_id, ids=[], **{"subject": "runs", **wrong})  # type: ignore[arg-type]


def test_a_rerun_uses_what_is_now_and_as_it_was_what_was_then(desk: Desk) -> None:
    world, message = desk.world, desk.message()
    run = desk.run(message)
    before = desk.parts.snapshot_id
    stored = world.records.payloads.store(new_id(), b'{"form":"Referral","fixed":true}')
    world.do(Edit(MessageVersion(message, 2, world.project_id, stored.encoding, stored.body, None, stored.size_bytes, 0)))
    trigger = {"kind": "message", "inbox_id": str(desk.inbox_id), "inclusion": {"form": "Referral"}}
    after = world.save(trigger, [{"name": "Better"}, {}], like=desk.parts).snapshot_id
    world.do(rerun_of_run(run))
    desk.forget_guards()
    world.do(rerun_of_run(run, as_it_was=True))
    now, then = desk.orders()
    assert (now.snapshot_id, now.message_version) == (after, 2)
    assert (then.snapshot_id, then.message_version) == (before, 1)


def test_a_rerun_of_what_a_trigger_started_is_still_because_of_that_run(desk: Desk) -> None:
    world = desk.world
    catch = world.save({"kind": "failure", "source_job_id": str(desk.parts.jobs[0])}, [{}], name="Catch")
    first = desk.run(desk.message())
    caught = next(run for run in world.rows(Run) if run.job_id == catch.jobs[0])
    world.do(rerun_of_run(caught.id))
    (order,) = desk.orders()
    assert (order.parent_run_id, order.trigger_id, order.depth) == (first, catch.triggers[0], 1)
    assert order.dataclip_id == caught.input_dataclip_id


def test_nothing_is_started_for_what_is_not_there(desk: Desk) -> None:
    for asked in (
        lambda: rerun_of_run(new_id()),
        lambda: run_of_message(new_id(), desk.parts.jobs[0]),
        lambda: run_of_message(desk.message(), new_id()),
        lambda: matches_of_message(desk.world.records, new_id()),
    ):
        with pytest.raises(ObjectMissing):
            asked()
