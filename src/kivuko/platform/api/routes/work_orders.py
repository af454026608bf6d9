"""Work orders: the history of what was asked for."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import Field

from kivuko.platform.api.access import found, require
from kivuko.platform.api.context import platform
from kivuko.platform.api.pages import ListQuery, Page, count_up_to, cursor_id, id_page
from kivuko.platform.api.searching import message_finder, searched
from kivuko.platform.api.shapes.attempts import OrderItem, OrderWhole, order_items, order_whole
from kivuko.platform.api.shapes.words import CauseWord, OrderStateWord, cause_of
from kivuko.platform.api.wire import IdText, Moment
from kivuko.platform.workflows.models import TriggerRow
from kivuko.records import Id, WorkOrder, WorkOrderState
from kivuko.records.database import Connection
from kivuko.records.listing import Slice
from kivuko.records.listing_runs import WorkOrderQuery, count_work_orders, list_work_orders, read_work_order

__all__ = ["router"]

router = Router(tags=["work orders"])


class WorkOrderFilters(ListQuery):
    """Which work orders; several values of one filter mean any of them."""

    state: list[OrderStateWord] | None = None
    workflow_id: list[IdText] | None = None
    trigger_id: list[IdText] | None = None
    cause: list[CauseWord] | None = None
    message_id: list[IdText] | None = None
    inserted_after: Moment | None = None
    inserted_before: Moment | None = None
    last_activity_after: Moment | None = None
    last_activity_before: Moment | None = None
    q: Annotated[str | None, Field(min_length=1, max_length=200, description="Text in the message.")] = None


@router.get("/projects/{project_id}/work_orders", response=Page[OrderItem], summary="List work orders")
def list_orders_of_project(request: HttpRequest, project_id: IdText, filters: Query[WorkOrderFilters]) -> Any:
    """Newest first."""
    require(request, project_id)
    query = _query(project_id, filters)
    with platform().records.reading() as connection:
        part = Slice(filters.limit + 1, cursor_id(filters.cursor))
        orders, cursor = id_page(_orders(connection, query, filters.q, part), filters.limit, lambda order: order.id)
        counted = count_up_to(filters.count, lambda at_most: _count(connection, query, filters.q, at_most))
        return Page[OrderItem](items=order_items(orders), next_cursor=cursor, **counted)


@router.get("/work_orders/{work_order_id}", response=OrderWhole, summary="Read a work order")
def read_one_order(request: HttpRequest, work_order_id: IdText) -> Any:
    """One work order with its attempts."""
    with platform().records.reading() as connection:
        order = found(read_work_order(connection, work_order_id))
        require(request, order.project_id)
        return order_whole(connection, order)


def _query(project_id: Id, filters: WorkOrderFilters) -> WorkOrderQuery:
    return WorkOrderQuery(
        project_id,
        workflow_ids=_workflows(filters),
        trigger_ids=filters.trigger_id,
        message_ids=filters.message_id,
        states=None if filters.state is None else {WorkOrderState[state.upper()] for state in filters.state},
        causes=None if filters.cause is None else {cause_of(cause) for cause in filters.cause},
        inserted_after=filters.inserted_after,
        inserted_before=filters.inserted_before,
        last_activity_after=filters.last_activity_after,
        last_activity_before=filters.last_activity_before,
    )


def _workflows(filters: WorkOrderFilters) -> Collection[Id] | None:
    """The workflows that were asked for, else those of the triggers: work orders are found by their workflow (records.schema)."""
    if filters.workflow_id is not None or filters.trigger_id is None:
        return filters.workflow_id
    found = dict(TriggerRow.objects.filter(id__in=filters.trigger_id).values_list("id", "workflow_id"))
    return set(found.values()) if found.keys() >= set(filters.trigger_id) else None


@dataclass(frozen=True)
class _ByMessage:
    """A question whose ``ids`` are those of messages."""

    query: WorkOrderQuery
    ids: Collection[Id] = ()

    def orders(self, connection: Connection, part: Slice) -> list[WorkOrder]:
        wanted = set(self.ids) if self.query.message_ids is None else set(self.ids) & set(self.query.message_ids)
        return list_work_orders(connection, replace(self.query, message_ids=wanted), part)


def _orders(connection: Connection, query: WorkOrderQuery, text: str | None, part: Slice) -> list[WorkOrder]:
    if text is None:
        return list_work_orders(connection, query, part)
    # Found by their messages, which are older than they are: all of them are looked at, then the page is cut.
    messages = message_finder(query.project_id, text)
    found_orders = searched(messages, _ByMessage(query), None, 10_000, lambda asked: asked.orders(connection, part))
    return sorted(found_orders, key=lambda order: order.id, reverse=True)[: part.at_most]


def _count(connection: Connection, query: WorkOrderQuery, text: str | None, at_most: int) -> int:
    return len(_orders(connection, query, text, Slice(at_most))) if text else count_work_orders(connection, query, at_most)
