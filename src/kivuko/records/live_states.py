"""The states that live pages show: of what has just changed, a statement or two a kind."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from kivuko.records.database import Connection
from kivuko.records.ids import Id
from kivuko.records.listing_runs import run_state
from kivuko.records.rows import Attempt, Run
from kivuko.records.states import AttemptState, WorkOrderState

__all__ = ["Standing", "attempt_standing", "live_states"]


@dataclass(frozen=True)
class Standing:
    """Whose an Attempt is and where it stands."""

    project_id: Id
    state: AttemptState


def attempt_standing(connection: Connection, attempt_id: Id) -> Standing | None:
    """Where an Attempt stands; None when there is none."""
    found = connection.fetch("attempt_standing", id=attempt_id)
    return Standing(Id(found[0][0]), AttemptState(found[0][1])) if found else None


def live_states(connection: Connection, kind: str, ids: Collection[Id]) -> dict[Id, str]:
    """The states of things of one kind (``work_order``, ``attempt``, ``run``) as the wire names them; of another kind, none."""
    if kind == "attempt":
        return {Id(found): AttemptState(state).name.lower() for found, state in connection.fetch("attempt_states", ids=sorted(ids))}
    if kind == "work_order":
        return {Id(found): WorkOrderState(state).name.lower() for found, state in connection.fetch("work_order_states", ids=sorted(ids))}
    if kind == "run":
        attempts = {each.id: each for each in connection.load(Attempt, "attempts_of_changed_runs", ids=sorted(ids))}
        runs = [run for run in connection.load(Run, "changed_runs", ids=sorted(ids)) if run.attempt_id in attempts]
        return {run.id: run_state(run, attempts[run.attempt_id]).name.lower() for run in runs}
    return {}
