"""The state table, pair by pair."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from kivuko.errors import MoveRefused
from kivuko.records.moves import MOVES, Move, check_move, drawn, state_for
from kivuko.records.states import AttemptState, ExitReason, WorkOrderState

S = AttemptState
FINAL = {S.SUCCESS, S.FAILED, S.CRASHED, S.CANCELLED, S.KILLED, S.EXCEPTION}
ALLOWED = {
    (S.QUEUED, S.CLAIMED),
    (S.QUEUED, S.CANCELLED),
    (S.PARKED, S.CANCELLED),
    (S.PARKED, S.QUEUED),
    (S.CLAIMED, S.QUEUED),
    (S.CLAIMED, S.STARTED),
    (S.CLAIMED, S.LOST),
    (S.STARTED, S.PARKED),
    (S.STARTED, S.LOST),
    *((source, end) for source in (S.CLAIMED, S.STARTED, S.LOST) for end in FINAL),
}


@pytest.mark.parametrize(("source", "target"), list(product(S, S)), ids=lambda state: state.name)
def test_a_pair_is_allowed_or_refused(source: AttemptState, target: AttemptState) -> None:
    assert ((source, target) in MOVES) is ((source, target) in ALLOWED)
    for by in Move:
        if by in MOVES.get((source, target), ()):
            check_move(source, target, by)
        else:
            with pytest.raises(MoveRefused, match=f"{source.name.lower()} cannot become {target.name.lower()}"):
                check_move(source, target, by)


def test_every_reason_has_its_state() -> None:
    assert {state_for(reason) for reason in ExitReason} == {*FINAL, S.LOST}


def test_final_states_have_the_same_numbers_for_work_orders() -> None:
    assert {state.name: int(state) for state in (*FINAL, S.LOST)} == {
        state.name: int(state) for state in WorkOrderState if state >= WorkOrderState.SUCCESS
    }


def test_the_table_can_be_drawn() -> None:
    picture = drawn()
    assert "    queued --> claimed: claim" in picture
    assert picture.count("-->") == len(MOVES) + 2


def test_the_documentation_shows_the_table() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "attempt-states.md").read_text("utf-8")
    assert f"```mermaid\n{drawn()}\n```" in page
    assert [move.name for move in Move if f"| {move.name.lower().replace('_', ' ')} |" not in page] == []
