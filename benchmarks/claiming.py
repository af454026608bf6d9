"""How long a claim takes when the queue is long: 200 000 waiting Attempts in 2 000 workflows, 150 000 of them in one."""

from __future__ import annotations

from pathlib import Path

from execution_records import claims_ms, database, fill_queue
from figures import Figure

__all__ = ["measure"]


def measure(folder: Path, *, quick: bool) -> list[Figure]:
    """Claims of 10, on both databases. ``quick`` changes nothing: what takes long is the filling."""
    figures = []
    for kind, most_ms in (("sqlite", 10), ("postgresql", 40)):
        with database(kind) as found:
            fill_queue(found)
            took = claims_ms(found, 10)
        figures += [
            Figure(f"{kind}: claim of 10, p50", took[50], "ms", target=f"≤ {most_ms}", met=took[50] <= most_ms),
            Figure(f"{kind}: claim of 10, p95", took[95], "ms"),
        ]
    return figures
