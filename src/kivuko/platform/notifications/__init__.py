"""Notifications: who is told what, in the app and by mail. A Django app: its functions are in its modules."""

__all__ = ()
