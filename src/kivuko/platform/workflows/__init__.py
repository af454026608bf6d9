"""Workflows as documents, their snapshots, and the index of their jobs and triggers. A Django app: its functions are in its modules."""

__all__ = ()
