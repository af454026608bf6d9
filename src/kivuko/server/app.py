"""The outer app: the lanes, and behind them the bridge."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.routing import BaseRoute, Route, Router
from starlette.types import ASGIApp

from kivuko.server.envelope import Envelope, Observer
from kivuko.server.home import home_page, object_page
from kivuko.server.metrics import MetricsPage
from kivuko.server.proxies import Proxies
from kivuko.server.readiness import Health

__all__ = ["outer_app"]


def outer_app(
    lanes: Sequence[BaseRoute], bridge: ASGIApp, *, health: Health, metrics: MetricsPage, proxies: Proxies, observe: Observer
) -> ASGIApp:
    """The ASGI app of the process. ``lanes`` are tried in order, then the pages of the process itself, then the bridge."""
    own = [
        Route("/", home_page, methods=["GET"]),
        Route("/projects/{rest:path}", object_page, methods=["GET"]),
        Route("/health", health.health, methods=["GET"]),
        Route("/ready", health.ready, methods=["GET"]),
        Route("/metrics", metrics.__call__, methods=["GET"]),
    ]
    return Envelope(Router([*lanes, *own], default=bridge, redirect_slashes=False), proxies, observe)
