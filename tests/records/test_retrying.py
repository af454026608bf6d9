"""A retry with another input, and one that goes on from the frontier of a lost Attempt."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kivuko.errors import RecordMissing, TooSoon
from kivuko.records.database import Database
from kivuko.records.editing import Edit
from kivuko.records.ids import Id, new_id
from kivuko.records.rows import Attempt, AttemptRun, Dataclip, LiveAttempt, Run
from kivuko.records.rules import NoRules
from kivuko.records.starting import Input
from kivuko.records.states import AttemptState, Cause, ExitReason, Needs
from records.scenes import Scene
from records.test_again import again, edited
from records.workers import begun, claim, clip


class Hold(NoRules):
    """What is lost waits for a person."""

    def lost_retries(self, workflow_id: Id) -> int:
        """None."""
        return 0


def test_a_retry_may_have_another_version_of_the_message(scene: Scene) -> None:
    hand = begun(scene)
    (first,) = hand.runs()
    hand.end(first.id)
    hand.finish()
    assert first.message_id is not None
    scene.after(10)
    scene.do(Edit(edited(scene, first.message_id, 2)))
    newer = replace(again(hand, first.job_id), given=Input(first.message_id))
    scene.do(newer)
    run = scene.one(Run, "WHERE attempt_id = ?", newer.retry_id)
    assert (run.message_version, run.run_number) == (2, 2)
    with pytest.raises(TooSoon):
        scene.do(replace(again(hand, first.job_id), given=Input(first.message_id, 1)))
    assert scene.job_states() == scene.calculated()


def test_a_retry_may_have_an_input_that_is_saved_with_it(scene: Scene) -> None:
    hand = begun(scene)
    (first,) = hand.runs()
    hand.end(first.id)
    hand.finish()
    saved = replace(clip(scene, hand), attempt_id=None)
    other = replace(again(hand, first.job_id), given=Input(dataclip_id=saved.id), saved_input=saved)
    scene.do(other)
    run = scene.one(Run, "WHERE attempt_id = ?", other.retry_id)
    assert (run.input_dataclip_id, run.message_id, run.run_number) == (saved.id, None, None)
    assert scene.get(Dataclip, saved.id) == saved
    with pytest.raises(RecordMissing, match="dataclip"):
        scene.do(replace(again(hand, first.job_id), given=Input(dataclip_id=new_id())))
    assert len(scene.rows(Attempt)) == 2
    assert scene.job_states() == scene.calculated()


def test_a_lost_attempt_goes_on_from_its_frontier_when_somebody_says_so(database: Database) -> None:
    scene = Scene(database, Hold())
    hand = begun(scene, new_id(), new_id())
    ended, running = hand.runs()
    hand.begin(ended.id)
    hand.end(ended.id)
    hand.begin(running.id)
    assert hand.die() is AttemptState.LOST
    assert scene.get(Run, running.id).exit_reason is ExitReason.LOST
    scene.after(10)
    intent = replace(again(hand, running.job_id), frontier=(running.id,))
    scene.do(intent)
    run = scene.one(Run, "WHERE attempt_id = ?", intent.retry_id)
    assert (run.job_id, run.cause, run.message_id, run.run_number) == (running.job_id, Cause.MESSAGE, running.message_id, 3)
    assert Needs.FRONTIER in scene.get(LiveAttempt, intent.retry_id).needs
    assert [shown.run_id for shown in scene.rows(AttemptRun)] == [ended.id]
    second = claim(scene)
    second.start()
    second.begin(run.id)
    second.end(run.id)
    assert second.finish() is AttemptState.SUCCESS
    assert scene.job_states() == scene.calculated()
    with pytest.raises(RecordMissing, match="is none of attempt"):
        scene.do(replace(again(hand, running.job_id), frontier=(new_id(),)))
    scene.close()
