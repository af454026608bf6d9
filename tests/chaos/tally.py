"""What came of a scenario, in numbers, and whether it was good."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from chaos.deaths import Restart

__all__ = ["RESTART_WITHIN_S", "Tally"]

RESTART_WITHIN_S = 15.0


@dataclass(frozen=True)
class Tally:
    """``lost``: acknowledged but not stored, or its jobs never finished. ``finished`` counts messages all whose jobs succeeded.

    ``twice``: jobs that finished successfully twice for one message, or acted on the target system after their success was reported.
    ``repeated``: effects that came twice because whoever caused the first one died before it could report: at least once, as promised.
    ``outages``: server or database were away too, so that nobody could notice in time that a worker was dead.
    ``wrong``: sentences about records that contradict each other, and whatever else must not be.
    """

    acknowledged: int
    with_jobs: int
    finished: int
    lost: int
    twice: int
    repeated: int
    events: Mapping[str, int] = field(default_factory=dict)
    other_answers: Mapping[int, int] = field(default_factory=dict)
    refusals: Mapping[str, int] = field(default_factory=dict)
    unanswered: int = 0
    restarts: Sequence[Restart] = ()
    wrong: Sequence[str] = ()
    seconds: float = 0.0
    outages: bool = False

    @property
    def good(self) -> bool:
        """Nothing lost, nothing twice, nothing wrong, and the work of the dead went on in time."""
        return not (self.lost or self.twice or self.wrong or self.late)

    @property
    def late(self) -> int:
        """How many restarts took too long; with outages only those that never came."""
        most_s = sys.float_info.max if self.outages else RESTART_WITHIN_S
        return sum(each.started_s > most_s for each in self.restarts)

    def lines(self) -> list[str]:
        """The report."""
        events = ", ".join(f"{count} {what}" for what, count in self.events.items())
        answers = ", ".join(f"{count} × {status}" for status, count in sorted(self.other_answers.items())) or "none"
        return [
            f"  done           {events}; {self.seconds:.0f} s",
            f"  acknowledged   {self.acknowledged}   (other answers: {answers}; connections that ended without one: {self.unanswered})",
            *(f"    {count} × {why}" for why, count in self.refusals.items()),
            f"  finished       {self.finished} of {self.with_jobs} messages that start jobs",
            f"  lost           {self.lost}",
            f"  finished twice {self.twice}   (effects repeated before they were reported: {self.repeated})",
            f"  work of the dead went on after {self._waits()}",
            *(f"  WRONG: {sentence}" for sentence in self.wrong),
            f"  {'good' if self.good else 'BAD'}",
        ]

    def _waits(self) -> str:
        if not self.restarts:
            return "–: none of them held any"
        started = sorted(each.started_s for each in self.restarts)
        claimed = sorted(each.claimed_s for each in self.restarts)
        return (
            f"{statistics.median(started):.1f} s (median), {started[-1]:.1f} s (longest) in {len(started)} cases; "
            f"too late: {self.late}; claimed after {statistics.median(claimed):.1f} s and {claimed[-1]:.1f} s"
        )
