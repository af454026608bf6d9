"""The history of the API's tables."""

__all__: list[str] = []
