"""Work orders and Attempts on the wire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field

from kivuko.platform.api.shapes.runs import RunItem, run_items
from kivuko.platform.api.shapes.words import AttemptStateWord, CauseWord, OrderStateWord, word
from kivuko.platform.api.wire import IdText, Moment, Wire
from kivuko.platform.workflows.models import Workflow
from kivuko.records import Attempt, Id, WorkOrder, read_attempt
from kivuko.records.database import Connection
from kivuko.records.listing_runs import attempts_of_order, workers_by_id

__all__ = ["AttemptItem", "AttemptWhole", "OrderItem", "OrderWhole", "attempt_whole", "order_items", "order_whole"]


class AttemptItem(Wire):
    """An Attempt without its Runs. ``number`` counts the Attempts of its work order."""

    id: IdText
    project_id: IdText
    work_order_id: IdText
    workflow_id: IdText
    snapshot_id: IdText
    state: AttemptStateWord
    number: int
    cause: CauseWord
    worker: str | None
    queued_at: Moment
    claimed_at: Moment | None
    started_at: Moment | None
    finished_at: Moment | None
    error_type: str | None
    cancel_requested_at: Moment | None
    retry_of: IdText | None


class AttemptWhole(AttemptItem):
    """An Attempt with its Runs, oldest first; those of an earlier Attempt that it shows bear that one's ``attempt_id``."""

    runs: list[RunItem]


class OrderItem(Wire):
    """A work order in a list."""

    id: IdText
    project_id: IdText
    workflow_id: IdText
    workflow_name: str | None
    snapshot_id: IdText
    trigger_id: IdText | None
    cause: CauseWord
    state: OrderStateWord
    message_id: IdText | None
    message_version: int | None
    dataclip_id: IdText | None
    parent_run_id: IdText | None
    depth: int = Field(description="How many triggers on jobs and workflows led here.")
    inserted_at: Moment
    last_activity_at: Moment


class OrderWhole(OrderItem):
    """A work order with its Attempts, oldest first."""

    attempts: list[AttemptItem]


def order_items(orders: Sequence[WorkOrder]) -> list[OrderItem]:
    """Work orders for a list."""
    names = _workflow_names({order.workflow_id for order in orders})
    return [OrderItem(**_order(order, names)) for order in orders]


def order_whole(connection: Connection, order: WorkOrder) -> OrderWhole:
    """A work order with its Attempts."""
    attempts = attempts_of_order(connection, [order.id])
    workers = _worker_names(connection, attempts)
    items = [AttemptItem(**_attempt(attempt, at, workers)) for at, attempt in enumerate(attempts, 1)]
    return OrderWhole(**_order(order, _workflow_names({order.workflow_id})), attempts=items)


def attempt_whole(connection: Connection, attempt: Attempt) -> AttemptWhole:
    """An Attempt with its Runs."""
    record = read_attempt(connection, attempt.id)
    siblings = attempts_of_order(connection, [attempt.work_order_id])
    number = 1 + [sibling.id for sibling in siblings].index(attempt.id)
    runs = run_items(connection, sorted([*record.shown, *record.runs], key=lambda run: run.id))
    return AttemptWhole(**_attempt(attempt, number, _worker_names(connection, [attempt])), runs=runs)


def _order(order: WorkOrder, names: Mapping[Id, str]) -> dict[str, Any]:
    return {
        "id": order.id,
        "project_id": order.project_id,
        "workflow_id": order.workflow_id,
        "workflow_name": names.get(order.workflow_id),
        "snapshot_id": order.snapshot_id,
        "trigger_id": order.trigger_id,
        "cause": word(order.cause),
        "state": word(order.state),
        "message_id": order.message_id,
        "message_version": order.message_version,
        "dataclip_id": order.dataclip_id,
        "parent_run_id": order.parent_run_id,
        "depth": order.depth,
        "inserted_at": order.id.made_at_us,
        "last_activity_at": order.last_activity_at,
    }


def _attempt(attempt: Attempt, number: int, workers: Mapping[Id, str]) -> dict[str, Any]:
    return {
        "id": attempt.id,
        "project_id": attempt.project_id,
        "work_order_id": attempt.work_order_id,
        "workflow_id": attempt.workflow_id,
        "snapshot_id": attempt.snapshot_id,
        "state": word(attempt.state),
        "number": number,
        "cause": word(attempt.cause),
        "worker": workers.get(attempt.worker_id) if attempt.worker_id else None,
        "queued_at": attempt.id.made_at_us,
        "claimed_at": attempt.claimed_at,
        "started_at": attempt.started_at,
        "finished_at": attempt.finished_at,
        "error_type": attempt.error_type,
        "cancel_requested_at": attempt.cancel_requested_at,
        "retry_of": attempt.retry_of,
    }


def _workflow_names(ids: set[Id]) -> dict[Id, str]:
    return dict(Workflow.objects.filter(id__in=sorted(ids)).values_list("id", "name")) if ids else {}


def _worker_names(connection: Connection, attempts: Sequence[Attempt]) -> dict[Id, str]:
    found = workers_by_id(connection, {attempt.worker_id for attempt in attempts if attempt.worker_id})
    return {worker.id: worker.name for worker in found.values()}
