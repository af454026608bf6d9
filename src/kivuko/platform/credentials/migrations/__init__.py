"""The history of this app's tables."""

__all__: list[str] = []
