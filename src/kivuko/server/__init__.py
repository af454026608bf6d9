"""The server's side of the house: what senders talk to."""

__all__: list[str] = []
