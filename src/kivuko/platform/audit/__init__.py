"""Who changed what, append-only. A Django app: its functions are in its modules."""

__all__ = ()
