"""Claims Attempts over the worker protocol, executes them with ``kivuko.runtime`` and reports what happened. Knows no database."""

from __future__ import annotations

__all__ = []
