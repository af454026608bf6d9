"""What an operator does about work that was given up after its retries: go on from where it stopped."""

from __future__ import annotations

import time

from chaos.counting import wait_until_idle
from chaos.place import Place
from kivuko.records import AttemptState, Id, WorkOrderState

__all__ = ["GIVEN_UP", "go_on_with_the_lost"]

GIVEN_UP = "work orders given up after two retries and gone on with by hand"

_TEN_SECOND_RULE_S = 12


def go_on_with_the_lost(place: Place, within_s: float) -> tuple[list[Id], list[str]]:
    """Retries every work order that ended ``lost`` (its third worker died, too) from its frontier, by the API, and waits for the ends.

    Their last Attempts, and sentences about what cannot be gone on with.
    """
    connection = place.database.connect_to_read()
    try:
        newest = dict(
            connection.query(
                "SELECT work_order.id, attempt.id FROM work_order JOIN attempt ON work_order_id = work_order.id"
                " WHERE work_order.state = ? AND attempt.state = ? ORDER BY attempt.id",
                int(WorkOrderState.LOST),
                int(AttemptState.LOST),
            )
        )
    finally:
        connection.close()
    given_up = [Id(attempt) for attempt in newest.values()]
    wrong = list(filter(None, [_go_on_with(place, attempt) for attempt in given_up]))
    return given_up, [*wrong[:3], *(wait_until_idle(place, within_s) if newest else [])]


def _go_on_with(place: Place, attempt: Id) -> str:
    """What is wrong, or nothing. Where a job was started for its message less than ten seconds ago it waits, as the answer says."""
    until_s = time.monotonic() + _TEN_SECOND_RULE_S
    while True:
        try:
            place.call("POST", f"/api/v1/attempts/{attempt}/retry", {"from": "frontier"})
        except RuntimeError as error:
            if "too_soon" not in str(error) or time.monotonic() >= until_s:
                return f"what was given up cannot be gone on with: {error}"
            time.sleep(0.5)  # paced: the answer said to wait
        else:
            return ""
