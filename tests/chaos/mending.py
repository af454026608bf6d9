"""What an operator does about work that was given up after its retries: go on from where it stopped."""

from __future__ import annotations

from chaos.counting import wait_until_idle
from chaos.place import Place
from kivuko.records import AttemptState, Id, WorkOrderState

__all__ = ["GIVEN_UP", "go_on_with_the_lost"]

GIVEN_UP = "work orders given up after two retries and gone on with by hand"


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
    wrong = []
    given_up = [Id(attempt) for attempt in newest.values()]
    for attempt in given_up:
        try:
            place.call("POST", f"/api/v1/attempts/{attempt}/retry", {"from": "frontier"})
        except RuntimeError as error:
            wrong.append(f"what was given up cannot be gone on with: {error}")
    return given_up, [*wrong[:3], *(wait_until_idle(place, within_s) if newest else [])]
