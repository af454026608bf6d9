"""The paths under ``/api/v1``."""

from __future__ import annotations

from kivuko.platform.api.application import build_api
from kivuko.platform.api.routes import attempts, logs, runs, work_orders, workers

__all__ = ["api", "urlpatterns"]

ROUTERS = (runs.router, work_orders.router, attempts.router, logs.router, workers.router)

api = build_api(ROUTERS)

urlpatterns = api.urls[0]
