"""What must never be is found when it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from kivuko.records.checking import CHECKS, check_records
from kivuko.records.ids import new_id
from kivuko.records.payloads import ObjectFolder
from records.scenes import Scene
from records.workers import begun, clip

DAMAGE = {
    "unfinished_without_place": "DELETE FROM live_attempt",
    "place_without_attempt": "UPDATE attempt SET state = 10",
    "attempt_without_work_order": "DELETE FROM work_order",
    "run_without_attempt": "DELETE FROM attempt",
    "run_left_unfinished": "UPDATE attempt SET state = 10",
    "job_state_without_run": "DELETE FROM run",
    "run_without_job_state": "DELETE FROM job_state",
    "message_without_body_row": "UPDATE message SET newest_version = 2",
    "body_row_without_message": "DELETE FROM message",
    "work_order_without_message": "DELETE FROM message",
}


def test_nothing_is_found_where_nothing_is_wrong(scene: Scene) -> None:
    hand = begun(scene)
    hand.end(hand.runs()[0].id, new_id(), output=clip(scene, hand))
    hand.die()
    assert check_records(scene.reader) == []


@pytest.mark.parametrize("check", CHECKS)
def test_damage_is_found(scene: Scene, check: str) -> None:
    begun(scene)
    scene.reader.query(DAMAGE[check])
    found = {finding.what: finding.ids for finding in check_records(scene.reader)}
    assert len(found[CHECKS[check]]) == 1


def test_a_body_whose_file_is_gone_is_found(scene: Scene, tmp_path: Path) -> None:
    accepted = scene.accept()
    folder = ObjectFolder(tmp_path / "objects")
    folder.put(accepted.message_id, b"x")
    scene.reader.query("UPDATE message_version SET object_key = message_id")
    assert check_records(scene.reader, folder) == []
    folder.delete([accepted.message_id])
    (finding,) = check_records(scene.reader, folder)
    assert finding.ids == (accepted.message_id,)
