"""Schedules: when cron and interval triggers fire, and what they begin with. A Django app: its functions are in its modules."""

__all__ = ()
