"""Migrations of notifications."""

__all__ = ()
