"""Objects of the wire, and how they are made of rows: one module a noun."""

__all__ = ()
