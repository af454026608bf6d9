"""Django's backend for SQLite as Kivuko uses it. Django asks a backend for a module called ``base``."""

__all__ = ()
