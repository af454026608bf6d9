"""People: users, their passwords and API tokens, membership of projects, what each role may do. A Django app: its functions are in its
modules."""

__all__ = ()
