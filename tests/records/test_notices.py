"""Notices wait until they are passed on."""

from __future__ import annotations

from kivuko.records.ids import new_id
from kivuko.records.notices import Dismiss, waiting_notices
from kivuko.records.states import ExitReason, NoticeKind
from records.scenes import Scene
from records.workers import begun


def test_a_failed_run_leaves_a_notice_until_it_is_dismissed(scene: Scene) -> None:
    hand = begun(scene)
    run = hand.runs()[0].id
    hand.end(run, reason=ExitReason.FAIL, error_type="JobError")
    (notice,) = waiting_notices(scene.reader)
    assert (notice.kind, notice.subject_id, notice.project_id) == (NoticeKind.RUN_FAILED, run, scene.project_id)
    assert scene.do(Dismiss((notice.id, new_id()))) == 1
    assert waiting_notices(scene.reader) == []
    assert scene.do(Dismiss((notice.id,))) == 0
    assert scene.do(Dismiss(())) == 0


def test_the_oldest_notices_come_first(scene: Scene) -> None:
    runs = []
    for _ in range(3):
        hand = begun(scene)
        runs.append(hand.runs()[0].id)
        hand.end(runs[-1], reason=ExitReason.FAIL)
    assert [notice.subject_id for notice in waiting_notices(scene.reader, at_most=2)] == runs[:2]
