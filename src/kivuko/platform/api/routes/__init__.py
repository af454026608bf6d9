"""The routes, one module a noun; each offers its ``router``."""

__all__ = ()
