"""Zero persistence: an input is wiped in the transaction that ends the last Attempt that needs it (server-and-data §7)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from kivuko.records.ids import Id
from kivuko.records.ledger import Ledger
from kivuko.records.rows import Attempt

__all__ = ["erase"]


def erase(ledger: Ledger, ended: Iterable[Attempt]) -> None:
    """Wipes what these ended Attempts leave: their messages, the dataclips they got and those they gave, unless unfinished work needs them.

    Called when everything else is written. Two jobs on one message, a requeue or a retry so never see an emptied input.
    """
    by_project: dict[Id, list[Attempt]] = defaultdict(list)
    for attempt in ended:
        by_project[attempt.project_id].append(attempt)
    ledger.transaction.wiped = ledger.transaction.wiped or bool(by_project)
    for project_id, attempts in sorted(by_project.items()):
        _erase(ledger, project_id, attempts)


def _erase(ledger: Ledger, project_id: Id, attempts: list[Attempt]) -> None:
    transaction = ledger.transaction
    orders = [ledger.work_orders[attempt.work_order_id] for attempt in attempts]
    messages = sorted({order.message_id for order in orders if order.message_id})
    inputs = {run.input_dataclip_id for attempt in attempts for run in ledger.runs(attempt)} | {order.dataclip_id for order in orders}
    clips = {"attempt_ids": sorted(attempt.id for attempt in attempts), "ids": sorted(clip for clip in inputs if clip)}
    connection = transaction.connection
    before = {Id(key) for (key,) in connection.fetch("objects_to_erase", message_ids=messages, **clips)}
    if messages:
        connection.change("inputs_erased", ids=messages, now_us=transaction.now_us)
    connection.change("dataclips_erased", project_id=project_id, now_us=transaction.now_us, **clips)
    if before:
        left = {Id(key) for (key,) in connection.fetch("objects_to_erase", message_ids=messages, **clips)}
        for key in sorted(before - left):
            transaction.tell("object_wiped", project_id, key)
