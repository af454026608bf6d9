"""Inboxes, their secrets, and how senders authenticate. A Django app: its functions are in its modules."""

__all__ = ()
