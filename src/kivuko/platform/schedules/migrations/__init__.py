"""Migrations of schedules."""

__all__ = ()
