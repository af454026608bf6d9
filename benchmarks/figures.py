"""A measured figure, and how a list of them is shown."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

__all__ = ["Figure", "show", "to_json"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value with its unit.

    ``ratio`` is the value in units of `node -e 0` of the same run, where that makes sense. ``target`` is the bound in words, ``met``
    whether the figure keeps it; both empty for figures that only inform.
    """

    name: str
    value: float
    unit: str
    ratio: float | None = None
    target: str = ""
    met: bool | None = None


def show(title: str, figures: Iterable[Figure]) -> None:
    """Print figures as a table, one a line."""
    print(f"\n{title}")
    for figure in figures:
        ratio = f"{figure.ratio:6.2f} × node" if figure.ratio is not None else ""
        verdict = {None: "", True: "met", False: "MISSED"}[figure.met]
        print(f"  {figure.name:<78}{figure.value:>9.2f} {figure.unit:<8} {ratio:<14} {figure.target:<23} {verdict}".rstrip(), flush=True)


def to_json(figures: Iterable[Figure]) -> str:
    """Figures as a JSON array."""
    return json.dumps([asdict(figure) for figure in figures], indent=1)
