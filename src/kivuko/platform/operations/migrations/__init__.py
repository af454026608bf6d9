"""Migrations of operations."""

__all__: list[str] = []
