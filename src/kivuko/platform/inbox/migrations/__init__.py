"""The history of this app's tables."""

__all__ = ()
