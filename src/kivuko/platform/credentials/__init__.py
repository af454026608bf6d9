"""Credentials: named secret objects that jobs get as ``configuration``. A Django app: its functions are in its modules."""

__all__ = ()
