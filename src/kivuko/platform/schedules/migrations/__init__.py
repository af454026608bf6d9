"""Migrations of schedules."""

__all__: list[str] = []
