"""The life of an Attempt: begun, Run after Run, ended; by our workers and by OpenFn's."""

from __future__ import annotations

import pytest

from kivuko.errors import RecordMissing, StaleClaim
from kivuko.records.ids import Id, new_id
from kivuko.records.jobstates import job_result, recompute_job_states
from kivuko.records.logs import Line, WriteLogs
from kivuko.records.reports import EndAttempt, EndRun, Follow, StartAttempt, StartRun
from kivuko.records.rows import DailyStat, Dataclip, LiveAttempt, LogLine, Message, Notice, Run, WorkOrder
from kivuko.records.starting import Input, Origin
from kivuko.records.states import AttemptState, Cause, ExitReason, JobResult, LiveState, NoticeKind, WorkOrderState
from kivuko.records.work import StartWork
from records.scenes import Scene
from records.workers import begun, claim, clip


def test_one_job_from_message_to_end(scene: Scene) -> None:
    accepted = scene.accept(scene.start())
    ((run_id,),) = (started.run_ids for started in accepted.started)
    hand = claim(scene)
    scene.after(1)
    assert hand.start() == ()
    assert scene.one(WorkOrder).state is WorkOrderState.RUNNING
    assert scene.one(LiveAttempt).state is LiveState.STARTED
    scene.after(1)
    assert hand.begin(run_id, adaptor="http@7.2.10") == run_id
    scene.after(1)
    output = clip(scene, hand)
    hand.end(run_id, output=output, memory_bytes=99, reported_at=5)
    assert hand.finish(final_dataclip_id=output.id, executed_ms=2500) is AttemptState.SUCCESS
    run = scene.one(Run)
    assert (run.exit_reason, run.exit_code, run.started_at, run.finished_at) == (
        ExitReason.SUCCESS,
        0,
        scene.now_us - 1_000_000,
        scene.now_us,
    )
    assert (run.output_dataclip_id, run.memory_bytes, run.reported_finished_at, run.adaptor, run.tries) == (
        output.id,
        99,
        5,
        "http@7.2.10",
        1,
    )
    assert scene.one(Dataclip) == output
    attempt = hand.attempt
    assert (attempt.state, attempt.executed_ms, attempt.final_dataclip_id) == (AttemptState.SUCCESS, 2500, output.id)
    assert scene.one(WorkOrder).state is WorkOrderState.SUCCESS
    assert scene.rows(LiveAttempt) == []
    assert scene.one(DailyStat).finished == 1
    assert scene.job_states() == scene.calculated()
    assert scene.rows(Notice) == []


def test_the_last_run_and_its_attempt_end_in_one_report(scene: Scene) -> None:
    accepted = scene.accept(scene.start())
    ((run_id,),) = (started.run_ids for started in accepted.started)
    hand = claim(scene)
    hand.begin(run_id)
    output = clip(scene, hand, wire_id="out")
    lines = scene.writer.submit(WriteLogs(hand.id, hand.number, (Line("last words", 1),), 1), bulk=True)
    end = EndAttempt(hand.id, hand.number, ExitReason.SUCCESS, final_wire_id="out", executed_ms=7)
    for _ in range(2):
        ended = hand.end(run_id, output=output, ends=end)
        assert (ended.run_id, ended.state) == (run_id, AttemptState.SUCCESS)
    assert lines.done()
    assert (scene.one(Run).exit_reason, scene.one(LogLine).message) == (ExitReason.SUCCESS, "last words")
    assert (hand.attempt.state, hand.attempt.final_dataclip_id, hand.attempt.executed_ms) == (AttemptState.SUCCESS, output.id, 7)
    assert scene.job_states() == scene.calculated()


def test_a_late_end_of_both_is_refused_when_another_worker_has_the_attempt(scene: Scene) -> None:
    accepted = scene.accept(scene.start())
    ((run_id,),) = (started.run_ids for started in accepted.started)
    hand = claim(scene)
    hand.die()
    claim(scene)
    with pytest.raises(StaleClaim):
        hand.end(run_id, job_id=new_id(), ends=EndAttempt(hand.id, hand.number, ExitReason.SUCCESS))
    assert scene.one(Run).finished_at is None


def test_the_seeds_example(scene: Scene) -> None:
    """R-075: referral succeeds, payment fails, is run again and succeeds: three runs, still two job-states."""
    names = {new_id(): "Referral", new_id(): "Payment"}
    referral, payment = names
    accepted = scene.accept(scene.start(referral, workflow_id=new_id()), scene.start(payment, workflow_id=new_id()))

    def shown() -> list[str]:
        words = {JobResult.SUCCESS: "success", JobResult.FAILURE: "failure", JobResult.IN_PROGRESS: "in progress"}
        runs = {run.id: run.run_number for run in scene.rows(Run)}
        states = [scene.job_states()[accepted.message_id, job] for job in (referral, payment)]
        return [f"{names[state.job_id]} ({words[state.state]} - run {runs[state.run_id]})" for state in states]

    for reason in (ExitReason.SUCCESS, ExitReason.FAIL):
        hand = claim(scene)
        hand.start()
        hand.end(hand.runs()[0].id, reason=reason, error_type=None if reason is ExitReason.SUCCESS else "JobError")
        hand.finish(reason)
    assert shown() == ["Referral (success - run 1)", "Payment (failure - run 2)"]
    scene.after(10)
    scene.do(StartWork(scene.start(payment, cause=Cause.RERUN), Origin(scene.project_id), Input(accepted.message_id)))
    assert shown() == ["Referral (success - run 1)", "Payment (in progress - run 3)"]
    hand = claim(scene)
    hand.end(hand.runs()[0].id)
    hand.finish()
    assert shown() == ["Referral (success - run 1)", "Payment (success - run 3)"]
    assert len(scene.rows(Run)) == 3
    assert len(scene.job_states()) == 2


def test_what_follows_is_made_with_the_end_and_answered_with_its_ids(scene: Scene) -> None:
    hand = begun(scene)
    (first,) = hand.runs()
    second, third = new_id(), new_id()
    output = clip(scene, hand)
    follows = (Follow(new_id(), second, Cause.SUCCESS, output.id), Follow(new_id(), third, Cause.EDGE, output.id))
    report = EndRun(hand.id, hand.number, first.id, first.job_id, ExitReason.SUCCESS, output=output, next=follows)
    ended = scene.do(report)
    made = {run.id: run for run in hand.runs()}
    assert [made[run].job_id for run in ended.next_ids] == [second, third]
    assert [(made[run].cause, made[run].parent_run_id, made[run].run_number) for run in ended.next_ids] == [
        (Cause.SUCCESS, first.id, 2),
        (Cause.EDGE, first.id, 3),
    ]
    assert made[ended.next_ids[0]].input_dataclip_id == output.id
    assert scene.one(Message).run_count == 3
    again = EndRun(
        hand.id,
        hand.number,
        first.id,
        first.job_id,
        ExitReason.FAIL,
        output=clip(scene, hand),
        next=(Follow(new_id(), second), Follow(new_id(), third)),
    )
    assert scene.do(again) == ended
    assert (len(hand.runs()), len(scene.rows(Dataclip))) == (3, 1)
    assert scene.job_states() == scene.calculated()


def test_a_job_reached_twice_has_two_runs(scene: Scene) -> None:
    hand = begun(scene, new_id(), new_id())
    first, second = hand.runs()
    joint = new_id()
    ids = {*hand.end(first.id, joint).next_ids, *hand.end(second.id, joint).next_ids}
    assert len(ids) == 2
    assert {run.parent_run_id for run in hand.runs() if run.job_id == joint} == {first.id, second.id}


def test_conditional_jobs_of_the_start_join_those_that_wait(scene: Scene) -> None:
    certain, conditional = new_id(), new_id()
    scene.accept(scene.start(certain))
    hand = claim(scene)
    (waiting,) = hand.runs()
    ids = hand.start(conditional, certain)
    assert ids[1] == waiting.id
    assert hand.start(conditional, certain) == ids
    assert len(hand.runs()) == 2


def test_a_failed_run_leaves_a_notice(scene: Scene) -> None:
    hand = begun(scene)
    (run,) = hand.runs()
    hand.end(run.id, reason=ExitReason.FAIL, error_type="JobError", error=b'{"name":"JobError","message":"boom","line":3}')
    hand.finish(ExitReason.FAIL, "JobError")
    notice = scene.one(Notice)
    assert (notice.kind, notice.subject_id) == (NoticeKind.RUN_FAILED, run.id)
    stored = scene.one(Run)
    assert (stored.exit_code, stored.error) == (1, b'{"name":"JobError","message":"boom","line":3}')
    assert hand.attempt.error_type == "JobError"


def test_a_crash_drops_what_was_not_reached_quietly(scene: Scene) -> None:
    hand = begun(scene, new_id(), new_id())
    first, second = hand.runs()
    hand.end(first.id, reason=ExitReason.KILL, error_type="TimeoutError")
    hand.finish(ExitReason.KILL, "TimeoutError")
    dropped = scene.get(Run, second.id)
    assert (dropped.exit_reason, dropped.error_type, dropped.started_at) == (ExitReason.CANCEL, "NotReached", None)
    assert len(scene.rows(Notice)) == 1
    assert scene.job_states() == scene.calculated()
    assert {state.state for state in scene.job_states().values()} == {JobResult.FAILURE}


def test_an_attempt_that_ends_before_it_began_gives_its_reason_to_the_runs_that_waited(scene: Scene) -> None:
    scene.accept(scene.start())
    hand = claim(scene)
    assert hand.finish(ExitReason.EXCEPTION, "CredentialLoadError") is AttemptState.EXCEPTION
    run = scene.one(Run)
    assert (run.exit_reason, run.error_type, run.exit_code) == (ExitReason.EXCEPTION, "CredentialLoadError", 3)
    assert len(scene.rows(Notice)) == 1


def test_a_run_whose_end_was_never_told_ends_with_its_attempt(scene: Scene) -> None:
    hand = begun(scene)
    (run,) = hand.runs()
    hand.begin(run.id)
    hand.finish()
    assert (scene.one(Run).exit_reason, scene.one(Run).error_type) == (ExitReason.EXCEPTION, "UnknownReason")


def test_the_end_of_an_attempt_is_reported_once(scene: Scene) -> None:
    hand = begun(scene)
    hand.end(hand.runs()[0].id)
    assert [hand.finish(), hand.finish(ExitReason.CRASH, "RuntimeCrash")] == [AttemptState.SUCCESS] * 2
    assert scene.one(DailyStat).finished == 1


def test_reports_of_an_older_claim_are_refused(scene: Scene) -> None:
    scene.accept(scene.start())
    first = claim(scene)
    first.die()
    with pytest.raises(StaleClaim, match="is queued"):
        first.start()
    second = claim(scene)
    second.start()
    for report in (first.start, lambda: first.begin(second.runs()[0].id), lambda: first.end(second.runs()[0].id), first.finish):
        with pytest.raises(StaleClaim, match="claim number 2"):
            report()
    with pytest.raises(StaleClaim):
        scene.do(WriteLogs(first.id, first.number, (Line("x", 1),)))
    assert second.finish() is AttemptState.SUCCESS


def test_an_attempt_that_does_not_exist_is_missing(scene: Scene) -> None:
    with pytest.raises(RecordMissing):
        scene.do(EndAttempt(new_id(), 1, ExitReason.SUCCESS))


# OpenFn's own worker


def test_a_foreign_worker_adopts_the_run_that_waits(scene: Scene) -> None:
    hand = begun(scene, foreign=True)
    (waiting,) = hand.runs()
    assert hand.begin(new_id(), waiting.job_id, wire_id="s1") == waiting.id
    assert hand.begin(new_id(), waiting.job_id, wire_id="s1") == waiting.id
    assert hand.end(new_id(), job_id=waiting.job_id, wire_id="s1").run_id == waiting.id
    assert scene.one(Run).wire_id == "s1"


def test_a_foreign_worker_invents_runs_and_dataclips(scene: Scene) -> None:
    hand = begun(scene, foreign=True)
    (first,) = hand.runs()
    hand.begin(new_id(), first.job_id, wire_id="s1")
    output = clip(scene, hand, wire_id="d1")
    futures = [
        scene.writer.submit(EndRun(hand.id, 1, new_id(), first.job_id, ExitReason.SUCCESS, wire_id="s1", output=output)),
        scene.writer.submit(StartRun(hand.id, 1, new_id(), new_id(), wire_id="s2", input_wire_id="d1")),
        scene.writer.submit(EndAttempt(hand.id, 1, ExitReason.FAIL, "JobError", final_wire_id="d1")),
    ]
    for future in futures:
        future.result(10)
    second = next(run for run in hand.runs() if run.id != first.id)
    assert (second.wire_id, second.input_dataclip_id, second.run_number) == ("s2", output.id, 2)
    assert hand.attempt.final_dataclip_id == output.id


def test_a_step_may_end_without_having_started_and_a_run_complete_without_start(scene: Scene) -> None:
    """Worker protocol R2 and R4."""
    scene.accept(scene.start())
    hand = claim(scene, foreign=True)
    (waiting,) = hand.runs()
    hand.end(new_id(), job_id=waiting.job_id, wire_id="s1")
    hand.end(new_id(), job_id=new_id(), wire_id="s2")
    assert len(hand.runs()) == 2
    assert hand.finish() is AttemptState.SUCCESS
    assert all(run.exit_code == 0 for run in hand.runs())


# Logs


def test_the_log_is_complete_when_its_end_is_seen(scene: Scene) -> None:
    hand = begun(scene)
    logs = [scene.writer.submit(WriteLogs(hand.id, 1, (Line(f"{at}", at),), first_seq=at), bulk=True) for at in range(1, 200)]
    hand.finish()
    assert all(future.done() for future in logs)
    assert [line.message for line in scene.rows(LogLine)] == [f"{at}" for at in range(1, 200)]


def test_a_repeated_batch_of_lines_changes_nothing(scene: Scene) -> None:
    hand = begun(scene)
    batch = WriteLogs(hand.id, 1, (Line("a", 1), Line("b", 2)), first_seq=1)
    assert [scene.do(batch), scene.do(batch)] == [2, 2]
    assert len(scene.rows(LogLine)) == 2


def test_lines_without_numbers_are_numbered_on_receipt(scene: Scene) -> None:
    hand = begun(scene)
    futures = [scene.writer.submit(WriteLogs(hand.id, 1, (Line("x", 9), Line("y\0", 8)))) for _ in range(3)]
    assert [future.result(10) for future in futures] == [2, 4, 6]
    assert [line.seq for line in scene.rows(LogLine)] == [1, 2, 3, 4, 5, 6]
    assert scene.rows(LogLine)[1].message == "y\ufffd"


# Job-states


FIXTURE = [
    (1, 1, 10, 0, 5, 0),
    (2, 1, 11, 0, 6, 1),
    (3, 1, 11, 20, 25, 0),
    (4, 2, 10, 0, 50, 1),
    (5, 2, 10, 10, 40, 0),
    (6, 3, 10, 1, 9, 1),
    (7, 3, 10, 2, 9, 0),
    (8, 4, 10, 1, 9, 1),
    (9, 4, 10, 1, 9, 0),
    (10, 5, 10, 0, 9, 0),
    (11, 5, 10, 31, None, None),
]
"""Requirements §3.7: run, message, job, started, finished, exit."""


def test_the_eleven_rows(scene: Scene) -> None:
    def key(number: int) -> Id:
        return Id(number.to_bytes(16, "big"))

    runs = [
        Run(
            key(run), scene.project_id, key(0), key(job), key(0), Cause.MESSAGE, 0,
            message_id=key(message), started_at=started, finished_at=finished, exit_code=code,
        )
        for run, message, job, started, finished, code in FIXTURE
    ]  # fmt: skip
    connection = scene.database.connect()
    connection.begin()
    connection.write(runs)
    recompute_job_states(connection, {(key(message), key(job)) for _, message, job, *_ in FIXTURE})
    connection.commit()
    connection.close()
    found = {
        (int.from_bytes(message), int.from_bytes(job)): (int.from_bytes(state.run_id), state.state)
        for (message, job), state in scene.job_states().items()
    }
    assert found == {
        (1, 10): (1, JobResult.SUCCESS),
        (1, 11): (3, JobResult.SUCCESS),
        (2, 10): (4, JobResult.FAILURE),
        (3, 10): (7, JobResult.SUCCESS),
        (4, 10): (9, JobResult.SUCCESS),
        (5, 10): (11, JobResult.IN_PROGRESS),
    }
    assert scene.job_states() == scene.calculated()


def test_there_are_exactly_three_results() -> None:
    assert {job_result(finished=finished, exit_code=code) for finished in (True, False) for code in (None, 0, 1, 134)} == set(JobResult)


def test_a_start_report_is_repeated_by_a_worker_that_heard_no_answer(scene: Scene) -> None:
    scene.accept(scene.start())
    hand = claim(scene)
    jobs = (Follow(new_id(), new_id()), Follow(new_id(), new_id()))
    first = scene.do(StartAttempt(hand.id, 1, jobs))
    fresh = tuple(Follow(new_id(), follow.job_id) for follow in jobs)
    assert scene.do(StartAttempt(hand.id, 1, fresh)) == first
