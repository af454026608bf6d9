"""The history of the API's tables."""

__all__ = ()
