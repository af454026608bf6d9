"""The execution records' tables as the ORM sees them: to read and filter, never to write. A Django app."""

__all__ = ()
