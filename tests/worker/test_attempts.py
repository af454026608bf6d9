"""Attempts from claim to end: what a real worker with real hosts leaves in the records."""

from __future__ import annotations

from kivuko.platform.workflows.document import WorkflowDocument
from kivuko.records import AttemptState, Cause, ExitReason, LogLevel
from server.lanes.workers.worlds import BAD, GOOD
from worker.rooms import FN, Room, flow

COUNT = "fn(s => ({ ...s, n: (s.n ?? 0) + 1 }))"
FAIL = "fn(s => { s.touched = true; throw new Error('the stub said no') })"
CRASH = "fn(s => { s.touched = true; return nope })"


def test_a_message_becomes_runs_with_outputs_and_a_log(any_room: Room) -> None:
    room = any_room
    document = flow(
        {"One": "fn(s => { console.log('hello', s.data); return { ...s, n: 1 } })", "Two": COUNT},
        (None, "One", "always"),
        ("One", "Two", "always"),
    )
    room.worker()
    attempt = room.run(document, {"patient": 7})
    assert (attempt.state, attempt.error_type) == (AttemptState.SUCCESS, None)
    assert attempt.executed_ms < 20_000
    one, two = room.world.runs(attempt.id)
    assert (one.exit_reason, one.exit_code, one.tries) == (ExitReason.SUCCESS, 0, 1)
    assert (two.parent_run_id, two.input_dataclip_id) == (one.id, one.output_dataclip_id)
    assert one.memory_bytes
    assert room.state(one.output_dataclip_id) == {"data": {"patient": 7}, "request": {"method": "POST"}, "n": 1}
    assert attempt.final_dataclip_id == two.output_dataclip_id
    lines = room.lines(attempt.id)
    assert [line.seq for line in lines] == list(range(1, len(lines) + 1))
    assert [line.message for line in lines] == [
        "Executing Referrals",
        "Starting step One",
        'hello {\n  "patient": 7\n}',
        next(line.message for line in lines if line.message.startswith("One completed in ")),
        "Starting step Two",
        lines[-1].message,
    ]
    assert [line.run_id for line in lines] == [None, one.id, one.id, one.id, two.id, two.id]
    assert [line.level for line in lines[-2:]] == [LogLevel.INFO, LogLevel.SUCCESS]


def test_a_failed_job_tells_its_line_and_its_failure_edge_gets_error_and_log(any_room: Room) -> None:
    room = any_room
    edges = ((None, "Pay", "always"), ("Pay", "Tell", "on_job_failure"), ("Pay", "Thank", "on_job_success"))
    document = flow({"Pay": FAIL, "Tell": COUNT, "Thank": COUNT}, *edges)
    room.worker()
    attempt = room.run(document)
    assert attempt.state is AttemptState.SUCCESS
    runs = room.runs(attempt, document)
    assert set(runs) == {"Pay", "Tell"}
    failed = runs["Pay"]
    assert (failed.exit_reason, failed.exit_code, failed.error_type) == (ExitReason.FAIL, 1, "JobError")
    error = room.world.rows(type(failed), "WHERE id = ?", failed.id)[0].error
    assert error is not None
    assert b'"message":"the stub said no"' in error
    assert b'"line":2' in error
    assert runs["Tell"].cause is Cause.FAILURE
    state = room.state(runs["Tell"].input_dataclip_id)
    assert state["touched"] is True
    assert state["errors"][str(failed.job_id)]["message"] == "the stub said no"
    assert "the stub said no" in state["error"]
    assert "Pay aborted with error" in state["error"]


def test_a_failure_edge_for_the_initial_state_gets_the_input(room: Room) -> None:
    document = flow({"Pay": FAIL, "Tell": COUNT}, (None, "Pay", "always"), ("Pay", "Tell", "on_job_failure", "initial"))
    room.worker()
    attempt = room.run(document)
    state = room.state(room.runs(attempt, document)["Tell"].input_dataclip_id)
    assert "touched" not in state
    assert set(state) == {"data", "request", "error", "errors"}


def test_a_failure_without_anybody_for_it_fails_the_attempt(room: Room) -> None:
    room.worker()
    attempt = room.run(flow({"Pay": FAIL}))
    assert (attempt.state, attempt.error_type) == (AttemptState.FAILED, "JobError")
    assert room.state(attempt.final_dataclip_id)["touched"] is True


def test_after_a_crash_the_failure_edges_are_followed_and_other_paths_dropped(any_room: Room) -> None:
    room = any_room
    edges = ((None, "Pay", "always"), (None, "Other", "always"), ("Pay", "Tell", "on_job_failure"), ("Pay", "Thank", "always"))
    document = flow({"Pay": CRASH, "Other": COUNT, "Tell": COUNT, "Thank": COUNT}, *edges)
    room.worker()
    attempt = room.run(document)
    assert (attempt.state, attempt.error_type) == (AttemptState.CRASHED, "RuntimeCrash")
    runs = room.runs(attempt, document)
    assert {name: (run.exit_reason, run.error_type) for name, run in runs.items()} == {
        "Pay": (ExitReason.CRASH, "ReferenceError"),
        "Other": (ExitReason.CANCEL, "NotReached"),
        "Tell": (ExitReason.SUCCESS, None),
    }
    assert "touched" not in room.state(runs["Tell"].input_dataclip_id)


def test_a_job_that_does_not_compile_crashes_when_it_is_reached_and_others_go_on(any_room: Room) -> None:
    room = any_room
    edges = ((None, "Bad", "always"), (None, "Good", "always"), ("Bad", "Tell", "on_job_failure"), ("Good", "Far", "state.n > 1"))
    document = flow({"Bad": "fn(s => {{ oops((", "Good": COUNT, "Tell": COUNT, "Far": "oops(("}, *edges)
    room.worker()
    attempt = room.run(document)
    runs = room.runs(attempt, document)
    assert {name: (run.exit_reason, run.error_type) for name, run in runs.items()} == {
        "Bad": (ExitReason.CRASH, "CompileError"),
        "Good": (ExitReason.SUCCESS, None),
        "Tell": (ExitReason.SUCCESS, None),
    }
    assert (attempt.state, attempt.error_type) == (AttemptState.CRASHED, "CompileError")


def test_conditions_on_the_edges_of_the_trigger_decide_before_anything_runs(room: Room) -> None:
    edges = ((None, "Young", "state.data.age < 5"), (None, "Old", "state.data.age >= 5"))
    document = flow({"Young": COUNT, "Old": COUNT}, *edges)
    room.worker()
    attempt = room.run(document, {"age": 7})
    assert set(room.runs(attempt, document)) == {"Old"}
    assert attempt.state is AttemptState.SUCCESS


def test_no_edge_that_holds_is_a_success_without_runs(room: Room) -> None:
    document = flow({"Young": COUNT}, (None, "Young", "state.data.age < 5"))
    room.worker()
    attempt = room.run(document, {"age": 7})
    assert (attempt.state, room.world.runs(attempt.id)) == (AttemptState.SUCCESS, [])


def test_several_leaves_make_one_final_state_by_job(room: Room) -> None:
    document = flow({"One": COUNT, "Two": "fn(s => ({ data: {}, two: 2 }))", "Empty": "fn(s => ({ data: {} }))"})
    room.worker()
    attempt = room.run(document)
    one, two, _ = document.jobs
    final = room.state(attempt.final_dataclip_id)
    assert set(final) == {str(one.id), str(two.id)}
    assert final[str(two.id)] == {"data": {}, "two": 2}


def test_a_job_without_code_is_a_run_that_passes_its_input_on(room: Room) -> None:
    document = flow({"Nothing": {"expression": "  \n"}, "Next": COUNT}, (None, "Nothing", "always"), ("Nothing", "Next", "always"))
    room.worker()
    attempt = room.run(document, {"x": 1})
    assert room.state(room.runs(attempt, document)["Next"].output_dataclip_id)["data"] == {"x": 1}


def test_a_start_in_the_midst_runs_from_there(room: Room) -> None:
    document = flow({"One": COUNT, "Two": COUNT}, (None, "One", "always"), ("One", "Two", "always"))
    room.worker()
    node = next(job.id for job in document.jobs if job.name == "Two")
    attempt = room.ended(room.world.begin(document, node=node, body=b'{"n":5}').attempt_id)
    assert list(room.runs(attempt, document)) == ["Two"]
    assert room.state(attempt.final_dataclip_id) == {"data": {}, "n": 6}


def test_a_credential_reaches_its_job_and_no_log(room: Room) -> None:
    code = FN + "fn(s => { console.log(s.configuration.password, s.configuration.user); return { ok: s.configuration.password.length } })"
    document = flow({"Pay": {"expression": code, "credential_id": GOOD}})
    room.worker()
    attempt = room.run(document)
    assert room.state(attempt.final_dataclip_id) == {"ok": 6}
    assert room.said(attempt.id) == ["**** u"]


def test_a_credential_that_is_gone_ends_the_attempt_before_it_begins(any_room: Room) -> None:
    room = any_room
    document = flow({"Pay": {"expression": FN + COUNT, "credential_id": BAD}})
    room.worker()
    attempt = room.run(document)
    assert (attempt.state, attempt.error_type, attempt.started_at) == (AttemptState.EXCEPTION, "CredentialLoadError", None)
    (run,) = room.world.runs(attempt.id)
    assert (run.exit_reason, run.exit_code) == (ExitReason.EXCEPTION, 3)


def test_an_input_that_is_gone_ends_the_attempt_before_it_begins(room: Room) -> None:
    document = flow({"Pay": COUNT})
    started = room.send(document)
    connection = room.world.records.database.connect()
    connection.script("UPDATE message_version SET body = NULL, wiped_at = 1")
    connection.close()
    room.worker()
    attempt = room.ended(started.attempt_id)
    assert (attempt.state, attempt.error_type) == (AttemptState.EXCEPTION, "DataClipError")


def test_an_adaptor_that_cannot_be_had_ends_the_attempt_before_it_begins(room: Room) -> None:
    document = flow({"Pay": {"expression": "fn(s => s)", "adaptor": "@openfn/language-nothere@1.0.0"}})
    room.worker()
    attempt = room.run(document)
    assert (attempt.state, attempt.error_type) == (AttemptState.EXCEPTION, "AutoinstallError")
    assert any("@openfn/language-nothere@1.0.0 is not installed" in line.message for line in room.lines(attempt.id))


def test_a_webhook_response_is_kept_for_the_sender(room: Room) -> None:
    room.worker()
    attempt = room.run(flow({"Answer": "fn(s => ({ ...s, webhookResponse: { status: 202, body: { ok: true } } }))"}))
    assert attempt.webhook_response == b'{"status":202,"body":{"ok":true}}'


def test_large_states_are_stored_whole(any_room: Room) -> None:
    room = any_room
    document = flow(
        {"Big": "fn(s => ({ data: 'x'.repeat(3 * 1024 * 1024) }))", "Next": COUNT}, (None, "Big", "always"), ("Big", "Next", "always")
    )
    room.worker()
    attempt = room.run(document, {"big": "y" * 500_000})
    runs = room.runs(attempt, document)
    assert len(room.state(runs["Big"].output_dataclip_id)["data"]) == 3 * 1024 * 1024
    assert runs["Next"].input_dataclip_id == runs["Big"].output_dataclip_id
    assert room.state(attempt.final_dataclip_id)["n"] == 1


def test_an_output_that_is_too_large_is_not_stored_but_handed_on(any_room: Room) -> None:
    room = any_room
    document = flow(
        {"Big": "fn(s => ({ data: 'x'.repeat(11 * 1024 * 1024) }))", "Count": "fn(s => ({ data: s.data.length }))"},
        (None, "Big", "always"),
        ("Big", "Count", "always"),
    )
    room.worker()
    attempt = room.run(document)
    runs = room.runs(attempt, document)
    assert (attempt.state, runs["Big"].exit_reason, runs["Big"].output_dataclip_id) == (AttemptState.SUCCESS, ExitReason.SUCCESS, None)
    assert runs["Count"].input_dataclip_id is None
    assert room.state(attempt.final_dataclip_id) == {"data": 11 * 1024 * 1024}
    assert any("is not kept" in line.message for line in room.lines(attempt.id))


def test_a_final_state_that_is_too_large_is_not_stored(room: Room) -> None:
    room.worker()
    attempt = room.run(flow({"Big": "fn(s => ({ data: 'x'.repeat(11 * 1024 * 1024) }))"}))
    assert (attempt.state, attempt.final_dataclip_id) == (AttemptState.SUCCESS, None)


def test_what_a_job_prints_below_the_level_is_left_out(room: Room) -> None:
    document = flow({"Talk": "fn(s => { console.debug('d'); console.log('i'); console.error('e'); return s })"}, job_logs=False)
    room.worker()
    attempt = room.run(document)
    assert room.said(attempt.id) == []
    assert room.said(attempt.id, "R/T")


def test_an_erasing_project_hands_states_on_and_keeps_none(room: Room) -> None:
    room.world.shelf.forgets = True
    document: WorkflowDocument = flow({"One": COUNT, "Two": COUNT}, (None, "One", "always"), ("One", "Two", "always"))
    room.worker()
    attempt = room.run(document)
    runs = room.runs(attempt, document)
    assert attempt.state is AttemptState.SUCCESS
    assert (runs["Two"].output_dataclip_id, attempt.final_dataclip_id) == (None, None)
    assert runs["Two"].exit_reason is ExitReason.SUCCESS
