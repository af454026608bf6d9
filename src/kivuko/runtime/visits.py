"""The steps that an Attempt comes to: each time a path leads to one, with what it gets and what became of it."""

from __future__ import annotations

from kivuko.runtime.result import RunRecord
from kivuko.value import value
from kivuko.workflow import Edge, Job, Node

__all__ = ["EndedVisit", "Follow", "Visit"]


@value
class Visit:
    """A step that is to be executed with an input (JSON).

    ``ticket`` is the recorder's name for it. ``tries`` is how often its job has been tried already, ``due_ns`` (of the monotonic clock)
    when it is tried again, ``run`` its number within the Attempt, once it has one.
    """

    node: Node
    state: bytes | None
    ticket: str = ""
    tries: int = 0
    due_ns: int = 0
    run: int | None = None


@value
class Follow:
    """A step that is reached by an edge (None: it is where the Attempt starts), with its input (JSON).

    ``changed`` says that the input is not the output of the Run before it as that was stored, but made for this edge.
    """

    node: Node
    state: bytes | None
    edge: Edge | None = None
    changed: bool = False


@value
class EndedVisit:
    """What became of a job: its record, its output (JSON), and what follows. ``tries`` counts the last one.

    After the ``last`` one nothing is left to do: the Attempt is over.
    """

    job: Job
    ticket: str
    run: int
    record: RunRecord
    state: bytes | None
    tries: int
    follows: tuple[Follow, ...]
    last: bool
