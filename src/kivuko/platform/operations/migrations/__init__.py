"""Migrations of operations."""

__all__ = ()
