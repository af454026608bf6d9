"""The app that owns the kept answers of requests with an Idempotency-Key."""

from __future__ import annotations

from django.apps import AppConfig

__all__ = ["ApiConfig"]


class ApiConfig(AppConfig):
    """Django's name for the API."""

    name = "kivuko.platform.api"
    label = "api"
