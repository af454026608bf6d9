"""What is about rate and does without Django: ingest, the workers' socket, live events."""

from __future__ import annotations

__all__ = []
