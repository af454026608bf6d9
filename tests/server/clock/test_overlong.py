"""What a foreign worker holds beyond its time limit is lost; what ours hold ends itself."""

from __future__ import annotations

import json

import pytest

from kivuko.platform.execution.limits import Limits
from kivuko.records import AttemptState, Records
from kivuko.server.clock.overlong import Overlong
from records.scenes import Scene
from records.workers import begun

LIMITS = Limits(attempt_timeout_ms=60_000, grace_s=30)


@pytest.mark.parametrize(
    ("foreign", "after_s", "state"),
    [(True, 91, AttemptState.LOST), (True, 89, AttemptState.STARTED), (False, 91, AttemptState.STARTED)],
    ids=["over", "within", "ours"],
)
def test_a_foreign_attempt_is_lost_when_its_time_is_over(
    records: Records, scene: Scene, foreign: bool, after_s: int, state: AttemptState
) -> None:
    hand = begun(scene, foreign=foreign)
    scene.after(after_s)
    assert not Overlong(records, LIMITS, now_us=lambda: scene.now_us).work()
    assert hand.attempt.state is state


def test_an_attempt_may_have_a_limit_of_its_own(records: Records, scene: Scene) -> None:
    hand = begun(scene, foreign=True)
    scene.reader.query("UPDATE attempt SET options = ?", json.dumps({"run_timeout_ms": 600_000}).encode())
    overlong = Overlong(records, LIMITS, now_us=lambda: scene.now_us)
    scene.after(600)
    overlong.work()
    assert hand.attempt.state is AttemptState.STARTED
    scene.after(31)
    overlong.work()
    assert hand.attempt.state is AttemptState.LOST
