"""The paths under ``/api/v1``."""

from __future__ import annotations

from kivuko.platform.api.application import build_api
from kivuko.platform.api.routes import (
    about,
    attempts,
    credentials,
    dataclips,
    inboxes,
    logs,
    me,
    messages,
    notifications,
    operations,
    projects,
    runs,
    schedules,
    starts,
    work_orders,
    workers,
    workflows,
)

__all__ = ["api", "urlpatterns"]

NOUNS = (
    me,
    notifications,
    projects,
    workflows,
    schedules,
    credentials,
    inboxes,
    messages,
    work_orders,
    starts,
    attempts,
    runs,
    dataclips,
    logs,
    operations,
    workers,
    about,
)
"""A noun goes with its module and its line here."""

api = build_api([noun.router for noun in NOUNS])

urlpatterns = api.urls[0]
