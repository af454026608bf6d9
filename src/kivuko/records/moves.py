"""The states of an Attempt and who moves them: one table; every other pair is refused (server-and-data §6).

OpenFn's words for the first state are ``available``; here, in the database and on the screen it is ``queued``.
"""

from __future__ import annotations

from enum import Enum

from kivuko.errors import MoveRefused
from kivuko.records.states import AttemptState, ExitReason

__all__ = ["MOVES", "REPORTED", "Move", "check_move", "drawn", "state_for"]

S = AttemptState


class Move(Enum):
    """What moves an Attempt."""

    CLAIM = "a worker claims it"
    HAND_BACK = "its worker drains and gives it back"
    EXPIRE = "its lease ends, or its run channel is not joined in time"
    START = "its worker's first report"
    END = "its worker's report of the end"
    PARK = "a job waits long for its next try"
    UNPARK = "the clock, when its time has come"
    CANCEL = "somebody cancels it"
    OVERTAKE = "a late report makes it superfluous"


REPORTED = (S.SUCCESS, S.FAILED, S.CRASHED, S.CANCELLED, S.KILLED, S.EXCEPTION)
"""The ends that a worker can report."""

_BY_REASON = {
    ExitReason.SUCCESS: S.SUCCESS,
    ExitReason.FAIL: S.FAILED,
    ExitReason.CRASH: S.CRASHED,
    ExitReason.CANCEL: S.CANCELLED,
    ExitReason.KILL: S.KILLED,
    ExitReason.EXCEPTION: S.EXCEPTION,
    ExitReason.LOST: S.LOST,
}

_TABLE: list[tuple[tuple[AttemptState, ...], tuple[AttemptState, ...], tuple[Move, ...]]] = [
    ((S.QUEUED,), (S.CLAIMED,), (Move.CLAIM,)),
    ((S.QUEUED, S.PARKED), (S.CANCELLED,), (Move.CANCEL, Move.OVERTAKE)),
    ((S.PARKED,), (S.QUEUED,), (Move.UNPARK,)),
    ((S.CLAIMED,), (S.QUEUED,), (Move.HAND_BACK, Move.EXPIRE)),
    ((S.CLAIMED,), (S.STARTED,), (Move.START,)),
    ((S.CLAIMED, S.STARTED, S.LOST), REPORTED, (Move.END,)),
    ((S.STARTED,), (S.PARKED,), (Move.PARK,)),
    ((S.CLAIMED, S.STARTED), (S.LOST,), (Move.EXPIRE,)),
    # With a cancel requested, whatever frees the Attempt from its worker cancels it.
    ((S.CLAIMED, S.STARTED), (S.CANCELLED,), (Move.CANCEL, Move.EXPIRE)),
    ((S.CLAIMED,), (S.CANCELLED,), (Move.HAND_BACK,)),
    ((S.STARTED,), (S.CANCELLED,), (Move.PARK,)),
]


def _spread() -> dict[tuple[AttemptState, AttemptState], frozenset[Move]]:
    moves: dict[tuple[AttemptState, AttemptState], frozenset[Move]] = {}
    for sources, targets, by in _TABLE:
        for pair in ((source, target) for source in sources for target in targets):
            moves[pair] = moves.get(pair, frozenset()) | frozenset(by)
    return moves


MOVES = _spread()
"""For each pair of states, what may move an Attempt from the first to the second."""


def check_move(source: AttemptState, target: AttemptState, by: Move) -> None:
    """Raises MoveRefused for a pair that the table does not have, or not by this."""
    if by not in MOVES.get((source, target), frozenset()):
        raise MoveRefused(f"an Attempt that is {source.name.lower()} cannot become {target.name.lower()} because {by.value}")


def state_for(reason: ExitReason) -> AttemptState:
    """The final state of an Attempt that ended for this reason."""
    return _BY_REASON[reason]


def drawn() -> str:
    """The table as a Mermaid state diagram, for the documentation."""
    lines = [
        f"    {source.name.lower()} --> {target.name.lower()}: {', '.join(sorted(move.name.lower().replace('_', ' ') for move in by))}"
        for (source, target), by in sorted(MOVES.items())
    ]
    return "\n".join(["stateDiagram-v2", "    [*] --> queued", "    [*] --> parked", *lines])
