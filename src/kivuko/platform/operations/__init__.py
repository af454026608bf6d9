"""Operations: work in the background that people follow and can cancel. A Django app: its functions are in its modules."""

__all__ = ()
