"""What the registry answered about moving versions, kept in the repo, so that a warm start asks nothing (cli.md §4.4)."""

from __future__ import annotations

from collections.abc import Callable

from kivuko.adaptors.layout import Layout, read_json, write_json
from kivuko.value import value

__all__ = ["Answers"]


@value
class Answers:
    """Answers by ``name@wanted``. A ``lifetime_s`` of 0 switches the cache off: every question then goes to the registry."""

    layout: Layout
    clock: Callable[[], float]
    lifetime_s: float

    def fresh(self, name: str, wanted: str) -> str | None:
        """The version answered less than ``lifetime_s`` ago, or None."""
        answer = read_json(self.layout.answers).get(f"{name}@{wanted}") if self.lifetime_s > 0 else None
        if not isinstance(answer, dict):
            return None
        version, asked_at = answer.get("version"), answer.get("asked_at")
        if not isinstance(version, str) or not isinstance(asked_at, int | float):
            return None
        return version if 0 <= self.clock() - asked_at < self.lifetime_s else None

    def keep(self, name: str, wanted: str, version: str) -> None:
        """Remembers an answer."""
        answers = read_json(self.layout.answers)
        try:
            write_json(self.layout.answers, {**answers, f"{name}@{wanted}": {"version": version, "asked_at": self.clock()}})
        except OSError:
            return  # A repo folder that cannot be written only means that the question is asked again.
