"""Migrations of notifications."""

__all__: list[str] = []
