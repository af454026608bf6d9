"""Ends that nobody planned: cancelled, lost, taken over, overruled, handed back, parked."""

from __future__ import annotations

import pytest

from kivuko.errors import MoveRefused, RecordMissing
from kivuko.records.ids import new_id
from kivuko.records.leases import Held, Renew, Unpark
from kivuko.records.reports import Abandon, Cancel, Expire, HandBack, Leave, Park
from kivuko.records.rows import Attempt, DailyStat, LiveAttempt, Message, Notice, Run, WorkOrder
from kivuko.records.states import AttemptState, Cause, ExitReason, JobResult, LiveState, Needs, NoticeKind, WorkOrderState
from records.scenes import SECOND, Scene
from records.workers import Hand, begun, claim, clip

S = AttemptState


def retry_of(scene: Scene, hand: Hand) -> Attempt:
    return scene.one(Attempt, "WHERE retry_of = ?", hand.id)


# Lost


def test_a_claim_that_dies_before_it_began_goes_back_and_the_fifth_time_is_lost(scene: Scene) -> None:
    scene.accept(scene.start())
    for expired in range(1, 5):
        hand = claim(scene)
        assert hand.die() is S.QUEUED
        assert (hand.attempt.expired_claims, hand.attempt.worker_id) == (expired, None)
        assert scene.one(LiveAttempt).worker_id is None
    hand = claim(scene)
    assert hand.die() is S.LOST
    assert hand.attempt.error_type == "LostAfterClaim"
    assert hand.runs()[0].exit_code == 3
    retry = retry_of(scene, hand)
    assert scene.get(LiveAttempt, retry.id).needs is Needs.JAVASCRIPT


def test_a_lost_attempt_is_taken_over_from_its_frontier(scene: Scene) -> None:
    hand = begun(scene)
    (first,) = hand.runs()
    output = clip(scene, hand)
    left, right = hand.end(first.id, new_id(), new_id(), output=output).next_ids
    hand.end(left)
    hand.begin(right)
    scene.after(20)
    assert hand.die() is S.LOST
    lost = scene.get(Run, right)
    assert (lost.exit_reason, lost.error_type, lost.exit_code, lost.finished_at) == (ExitReason.LOST, "LostAfterStart", 4, scene.now_us)
    retry = retry_of(scene, hand)
    live = scene.one(LiveAttempt)
    assert (live.attempt_id, live.priority, live.needs) == (retry.id, 0, Needs.JAVASCRIPT | Needs.FRONTIER)
    assert (retry.cause, retry.snapshot_id, retry.state) == (Cause.RETRY, hand.attempt.snapshot_id, S.QUEUED)
    copy = scene.one(Run, "WHERE attempt_id = ?", retry.id)
    assert (copy.job_id, copy.input_dataclip_id, copy.parent_run_id) == (lost.job_id, lost.input_dataclip_id, first.id)
    assert (copy.started_at, copy.exit_reason, copy.run_number) == (None, None, 4)
    assert scene.one(WorkOrder).state is WorkOrderState.PENDING
    assert scene.job_states() == scene.calculated()
    assert [notice.kind for notice in scene.rows(Notice)] == [NoticeKind.ATTEMPT_LOST]


def test_a_lost_attempt_is_retried_twice_at_most(scene: Scene) -> None:
    hand = begun(scene)
    for _ in range(2):
        hand.die()
        hand = claim(scene)
        hand.start()
    assert hand.die() is S.LOST
    assert scene.rows(LiveAttempt) == []
    assert [attempt.state for attempt in scene.rows(Attempt)] == [S.LOST] * 3
    assert scene.one(WorkOrder).state is WorkOrderState.LOST
    assert [notice.kind for notice in scene.rows(Notice)].count(NoticeKind.RUN_FAILED) == 1
    assert scene.job_states() == scene.calculated()


def test_a_retry_finishes_what_was_lost(scene: Scene) -> None:
    hand = begun(scene)
    hand.die()
    scene.after(1)
    second = claim(scene)
    second.start()
    second.end(second.runs()[0].id)
    assert second.finish() is S.SUCCESS
    assert scene.one(WorkOrder).state is WorkOrderState.SUCCESS
    assert {state.state for state in scene.job_states().values()} == {JobResult.SUCCESS}


def test_an_attempt_all_of_whose_runs_had_ended_is_not_done_again(scene: Scene) -> None:
    hand = begun(scene)
    (first,) = hand.runs()
    (second,) = hand.end(first.id, new_id(), output=clip(scene, hand)).next_ids
    hand.begin(second)
    hand.end(second, output=clip(scene, hand))
    scene.after(20)
    # The worker died between the last report and the report of the end.
    assert hand.die() is S.SUCCESS
    assert [attempt.state for attempt in scene.rows(Attempt)] == [S.SUCCESS]
    assert hand.attempt.final_dataclip_id == scene.get(Run, second).output_dataclip_id
    assert scene.rows(LiveAttempt) == []
    assert scene.one(WorkOrder).state is WorkOrderState.SUCCESS
    assert len(scene.rows(Run)) == 2
    assert scene.rows(Notice) == []
    assert scene.job_states() == scene.calculated()


@pytest.mark.parametrize(
    ("reasons", "state"),
    [
        ((ExitReason.SUCCESS, ExitReason.FAIL), S.FAILED),
        ((ExitReason.FAIL, ExitReason.SUCCESS), S.SUCCESS),
        ((ExitReason.CRASH, ExitReason.SUCCESS), S.CRASHED),
        ((ExitReason.FAIL, ExitReason.KILL), S.KILLED),
    ],
)
def test_its_end_comes_from_the_leaves_and_from_a_crash_wherever_it_was(
    scene: Scene, reasons: tuple[ExitReason, ExitReason], state: AttemptState
) -> None:
    hand = begun(scene)
    (first,) = hand.runs()
    (second,) = hand.end(first.id, new_id(), reason=reasons[0]).next_ids
    hand.end(second, reason=reasons[1])
    assert hand.die() is state
    assert scene.one(WorkOrder).state.name == state.name
    assert len(scene.rows(Attempt)) == 1


def test_what_ended_before_a_loss_counts_when_the_retry_dies_before_its_end_was_told(scene: Scene) -> None:
    hand = begun(scene)
    (first,) = hand.runs()
    failed, lost = hand.end(first.id, new_id(), new_id(), output=clip(scene, hand)).next_ids
    hand.end(failed, reason=ExitReason.FAIL)
    hand.begin(lost)
    assert hand.die() is S.LOST
    second = claim(scene)
    second.start()
    second.end(second.runs()[0].id, output=clip(scene, second))
    assert second.die() is S.FAILED
    # Two leaves: their outputs make no single final state.
    assert second.attempt.final_dataclip_id is None
    assert len(scene.rows(Attempt)) == 2
    assert scene.job_states() == scene.calculated()


def test_a_foreign_workers_attempt_is_not_retried_once_it_had_begun(scene: Scene) -> None:
    hand = begun(scene, foreign=True)
    assert hand.die() is S.LOST
    assert len(scene.rows(Attempt)) == 1


def test_without_a_stored_input_nobody_goes_on_by_himself(scene: Scene) -> None:
    hand = begun(scene)
    scene.reader.query("UPDATE run SET message_id = NULL WHERE attempt_id = ?", hand.id)
    hand.die()
    assert len(scene.rows(Attempt)) == 1


def test_to_abandon_is_to_lose_the_lease(scene: Scene) -> None:
    hand = begun(scene)
    assert scene.do(Abandon(hand.id, hand.number)) is S.LOST
    assert retry_of(scene, hand)


def test_a_lease_that_was_renewed_meanwhile_is_not_taken(scene: Scene) -> None:
    hand = begun(scene)
    live = scene.one(LiveAttempt)
    assert live.worker_id
    scene.do(Renew(live.worker_id, (Held(hand.id, hand.number),)))
    assert scene.do(Expire(hand.id, hand.number, live.renewed)) is S.STARTED


# Late reports


def test_a_late_report_overrules_lost_and_the_waiting_retry_disappears(scene: Scene) -> None:
    hand = begun(scene)
    (run,) = hand.runs()
    hand.begin(run.id)
    hand.die()
    retry = retry_of(scene, hand)
    scene.after(5)
    hand.end(run.id)
    assert hand.finish() is S.SUCCESS
    overtaken = scene.get(Attempt, retry.id)
    assert (overtaken.state, overtaken.error_type) == (S.CANCELLED, "Overtaken")
    assert scene.rows(LiveAttempt) == []
    stored = scene.one(Run)
    assert (stored.id, stored.exit_reason, stored.exit_code) == (run.id, ExitReason.SUCCESS, 0)
    assert scene.one(WorkOrder).state is WorkOrderState.SUCCESS
    assert {state.state for state in scene.job_states().values()} == {JobResult.SUCCESS}
    assert scene.job_states() == scene.calculated()
    assert {stat.state: stat.finished for stat in scene.rows(DailyStat)} == {S.LOST: 0, S.SUCCESS: 1}


def test_a_number_that_was_given_is_never_given_again(scene: Scene) -> None:
    hand = begun(scene)
    hand.die()
    hand.end(hand.runs()[0].id)
    hand.finish()
    assert scene.one(Message).run_count == 2


def test_a_retry_that_has_begun_owns_the_result(scene: Scene) -> None:
    hand = begun(scene)
    hand.die()
    second = claim(scene)
    second.start()
    (run,) = hand.runs()
    hand.end(run.id)
    assert hand.finish() is S.LOST
    assert scene.get(Run, run.id).exit_reason is ExitReason.LOST
    second.end(second.runs()[0].id, reason=ExitReason.FAIL, error_type="JobError")
    second.finish(ExitReason.FAIL, "JobError")
    assert hand.finish() is S.LOST
    assert scene.one(WorkOrder).state is WorkOrderState.FAILED
    assert scene.job_states() == scene.calculated()


def test_a_late_failure_tells_what_became_of_the_lost_runs(scene: Scene) -> None:
    hand = begun(scene)
    hand.begin(hand.runs()[0].id)
    hand.die()
    assert hand.finish(ExitReason.KILL, "TimeoutError") is S.KILLED
    assert scene.one(Run).exit_code == 2


# Cancelled


def test_what_waits_is_cancelled_at_once(scene: Scene) -> None:
    accepted = scene.accept(scene.start())
    assert scene.do(Cancel(accepted.started[0].attempt_id, by=new_id())) is S.CANCELLED
    run = scene.one(Run)
    assert (run.exit_reason, run.error_type, run.exit_code) == (ExitReason.CANCEL, "Cancelled", 4)
    assert scene.rows(LiveAttempt) == []
    assert scene.one(WorkOrder).state is WorkOrderState.CANCELLED
    assert scene.rows(Notice) == []
    assert scene.job_states() == scene.calculated()


@pytest.mark.parametrize("begins", [False, True])
def test_our_worker_is_asked_to_stop(scene: Scene, begins: bool) -> None:
    scene.accept(scene.start())
    hand = claim(scene)
    if begins:
        hand.start()
    assert hand.cancel() is (S.STARTED if begins else S.CLAIMED)
    live = scene.one(LiveAttempt)
    assert live.worker_id
    assert scene.do(Renew(live.worker_id, (Held(hand.id, hand.number),))).cancel == {hand.id}
    assert hand.finish(ExitReason.CANCEL, "Cancelled") is S.CANCELLED
    assert scene.one(Run).exit_reason is ExitReason.CANCEL


@pytest.mark.parametrize("begins", [False, True])
def test_a_worker_that_dies_while_it_should_stop_leaves_it_cancelled(scene: Scene, begins: bool) -> None:
    scene.accept(scene.start())
    hand = claim(scene)
    if begins:
        hand.start()
    hand.cancel()
    assert hand.die() is S.CANCELLED
    assert len(scene.rows(Attempt)) == 1


def test_success_before_the_cancel_arrived_is_success(scene: Scene) -> None:
    hand = begun(scene)
    hand.cancel()
    hand.end(hand.runs()[0].id)
    assert hand.finish() is S.SUCCESS


def test_a_foreign_workers_attempt_is_cancelled_at_once_and_its_slot_held_until_it_leaves(scene: Scene) -> None:
    hand = begun(scene, foreign=True)
    (run,) = hand.runs()
    assert hand.cancel() is S.CANCELLED
    assert scene.one(LiveAttempt).state is LiveState.LEAVING
    hand.begin(run.id)
    hand.end(run.id, new_id())
    assert hand.finish() is S.CANCELLED
    assert len(hand.runs()) == 1
    assert scene.one(Run).exit_reason is ExitReason.CANCEL
    assert scene.do(Leave(hand.id, hand.number)) is S.CANCELLED
    assert scene.rows(LiveAttempt) == []


def test_a_cancelled_attempt_stays_cancelled(scene: Scene) -> None:
    accepted = scene.accept(scene.start())
    attempt = accepted.started[0].attempt_id
    assert [scene.do(Cancel(attempt)) for _ in range(2)] == [S.CANCELLED] * 2
    with pytest.raises(RecordMissing):
        scene.do(Cancel(new_id()))


# Handed back, parked, left


def test_what_has_not_begun_can_be_handed_back(scene: Scene) -> None:
    scene.accept(scene.start())
    hand = claim(scene)
    assert scene.do(HandBack(hand.id, hand.number)) is S.QUEUED
    assert hand.attempt.expired_claims == 0
    assert claim(scene).number == 2


def test_what_has_begun_cannot(scene: Scene) -> None:
    hand = begun(scene)
    with pytest.raises(MoveRefused, match="started cannot become queued"):
        scene.do(HandBack(hand.id, hand.number))
    assert hand.attempt.state is S.STARTED


def test_to_hand_back_what_is_to_be_cancelled_cancels_it(scene: Scene) -> None:
    scene.accept(scene.start())
    hand = claim(scene)
    hand.cancel()
    assert scene.do(HandBack(hand.id, hand.number)) is S.CANCELLED


def test_a_job_that_waits_long_for_its_next_try_parks_its_attempt(scene: Scene) -> None:
    hand = begun(scene)
    (run,) = hand.runs()
    hand.begin(run.id)
    assert scene.do(Park(hand.id, hand.number, scene.now_us + 90 * SECOND, executed_ms=700)) is S.PARKED
    live = scene.one(LiveAttempt)
    assert (live.state, live.worker_id, live.needs) == (LiveState.PARKED, None, Needs.JAVASCRIPT | Needs.FRONTIER)
    assert (hand.attempt.expired_claims, hand.attempt.executed_ms) == (0, 700)
    assert (scene.one(Run).started_at, scene.one(Run).tries) == (None, 1)
    scene.after(90)
    assert scene.do(Unpark()) == 1
    scene.reader.query("UPDATE live_attempt SET needs = 1")
    again = claim(scene)
    assert (again.id, again.number) == (hand.id, 2)
    again.start()
    again.begin(run.id)
    assert scene.one(Run).tries == 2
    again.end(run.id)
    assert again.finish(executed_ms=300) is S.SUCCESS
    assert hand.attempt.executed_ms == 1000


def test_to_park_what_is_to_be_cancelled_cancels_it(scene: Scene) -> None:
    hand = begun(scene)
    hand.cancel()
    assert scene.do(Park(hand.id, hand.number, scene.now_us + SECOND)) is S.CANCELLED


def test_only_what_has_begun_can_be_parked(scene: Scene) -> None:
    scene.accept(scene.start())
    hand = claim(scene)
    with pytest.raises(MoveRefused):
        scene.do(Park(hand.id, hand.number, scene.now_us + SECOND))


def test_a_foreign_worker_that_leaves_without_an_end_loses_it(scene: Scene) -> None:
    hand = begun(scene, foreign=True)
    assert scene.do(Leave(hand.id, hand.number)) is S.LOST
    scene.accept(scene.start())
    unbegun = claim(scene, foreign=True)
    assert scene.do(Leave(unbegun.id, unbegun.number)) is S.QUEUED


def test_runs_that_never_began_say_why(scene: Scene) -> None:
    """An adaptor that cannot be installed: the Run tells it, not only the Attempt's log."""
    scene.accept(scene.start())
    hand = claim(scene)
    told = b'{"name":"AutoinstallError","message":"there is no such adaptor"}'
    hand.finish(ExitReason.EXCEPTION, "AutoinstallError", error=told)
    (run,) = hand.runs()
    assert (run.exit_reason, run.error_type, run.error) == (ExitReason.EXCEPTION, "AutoinstallError", told)
