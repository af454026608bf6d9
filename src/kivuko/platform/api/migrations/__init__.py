"""The history of the API's tables."""
