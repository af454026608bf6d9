"""Whose turn it is: the choice of a claim (server-and-data §6).

Queues come in the worker's order of preference. Then the project that has the least under way comes next, of equals the one that was
served longest ago; within it what is urgent, then the workflow with the least under way, then what waits longest. A project with 150 000
waiting Attempts so gets one turn like everyone else. Limits are kept while counting.

Lanes are looked up only of projects whose turn comes, so a claim costs about as many index seeks as there are projects, whatever waits.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from kivuko.records.database import Asked, Connection
from kivuko.records.ids import Id
from kivuko.records.rows import ClaimShare

__all__ = ["Chosen", "TurnTaking"]


@dataclass(frozen=True)
class Chosen:
    """An Attempt whose turn it is."""

    attempt_id: Id
    project_id: Id
    workflow_id: Id


@dataclass
class _Lane:
    queue: str
    project_id: Id
    workflow_id: Id
    waiting: list[tuple[int, Id]]
    """(priority, Attempt) of what comes next, the first one last."""


@dataclass
class _Project:
    id: Id
    queues: list[str]
    lanes: list[tuple[tuple[int, int, int, Id], int, _Lane]] = field(default_factory=list)
    """A heap of (what decides, a number of its own, lane); empty until the project's first turn."""
    looked_up: bool = False


class TurnTaking:
    """The queue as one claim sees it, and the choices it has made. Takes the claim's lock, for the whole transaction."""

    def __init__(self, connection: Connection, *, missing: int, at_most: int) -> None:
        self._connection = connection
        self._missing = missing
        self._at_most = at_most
        self._busy: Counter[Id] = Counter()
        _, busy, self._waiting = connection.together(Asked("claim_lock"), Asked("busy"), Asked("waiting_projects"))
        for project, workflow, count in busy:
            self._busy[Id(project)] += count
            self._busy[Id(workflow)] += count
        self._chosen: set[Id] = set()
        self.shares: dict[Id, ClaimShare] = {}
        """The shares of all scopes looked at."""

    def choose(self, queues: Sequence[str], demand: int) -> Iterator[Chosen]:
        """The next ``demand`` Attempts (fewer if nothing else may start). ``*`` stands for all queues not named."""
        for projects in self._by_preference(queues):
            self._load_shares([project.id for project in projects])
            turns = [(self._standing(project.id), project) for project in projects]
            heap = [(standing, project.id, project) for standing, project in turns]
            heapq.heapify(heap)
            while heap and demand > 0:
                _, _, project = heapq.heappop(heap)
                found = self._from_project(project) if self._has_room(project.id) else None
                if found is not None:
                    yield found
                    demand -= 1
                    heapq.heappush(heap, (self._standing(project.id), project.id, project))
            if demand <= 0:
                return

    def _by_preference(self, queues: Sequence[str]) -> list[list[_Project]]:
        """The projects with something waiting, for each place in the order of preference."""
        classes: dict[int, dict[Id, _Project]] = defaultdict(dict)
        for queue, project in self._waiting:
            name = queue if queue in queues else "*"
            if name in queues:
                entry = classes[queues.index(name)].setdefault(Id(project), _Project(Id(project), []))
                entry.queues.append(queue)
        return [list(classes[place].values()) for place in sorted(classes)]

    def _from_project(self, project: _Project) -> Chosen | None:
        if not project.looked_up:
            self._look_up(project)
        while project.lanes:
            key, number, lane = heapq.heappop(project.lanes)
            if not self._has_room(lane.workflow_id) or not lane.waiting:
                continue
            current = self._lane_key(lane)
            if current != key:
                # Another lane of the same workflow had a turn since.
                heapq.heappush(project.lanes, (current, number, lane))
                continue
            return self._take(project, number, lane)
        return None

    def _take(self, project: _Project, number: int, lane: _Lane) -> Chosen:
        _, attempt_id = lane.waiting.pop()
        self._chosen.add(attempt_id)
        self._busy[project.id] += 1
        self._busy[lane.workflow_id] += 1
        if not lane.waiting:
            self._refill(lane)
        if lane.waiting:
            heapq.heappush(project.lanes, (self._lane_key(lane), number, lane))
        return Chosen(attempt_id, project.id, lane.workflow_id)

    def _look_up(self, project: _Project) -> None:
        project.looked_up = True
        lanes = []
        for queue in project.queues:
            for workflow, priority, attempt, needs in self._connection.fetch("lanes_of_project", queue=queue, project_id=project.id):
                lane = _Lane(queue, project.id, Id(workflow), [(priority, Id(attempt))])
                if needs & self._missing or Id(attempt) in self._chosen:
                    self._refill(lane)
                lanes.append(lane)
        self._load_shares([lane.workflow_id for lane in lanes])
        project.lanes = [(self._lane_key(lane), number, lane) for number, lane in enumerate(lanes) if lane.waiting]
        heapq.heapify(project.lanes)

    def _refill(self, lane: _Lane) -> None:
        """Looks up what comes next in a lane; what this claim has chosen still waits in the database."""
        found = self._connection.fetch(
            "lane_waiting",
            queue=lane.queue,
            project_id=lane.project_id,
            workflow_id=lane.workflow_id,
            missing=self._missing,
            at_most=self._at_most + 1,
        )
        left = [(priority, Id(attempt)) for priority, attempt in found]
        lane.waiting = [entry for entry in reversed(left) if entry[1] not in self._chosen]

    def _load_shares(self, scopes: Sequence[Id]) -> None:
        unknown = [scope for scope in scopes if scope not in self.shares]
        if unknown:
            self.shares.update((scope, ClaimShare(scope, None, 0)) for scope in unknown)
            self.shares.update((share.scope_id, share) for share in self._connection.load(ClaimShare, "shares", ids=unknown))

    def _has_room(self, scope: Id) -> bool:
        limit = self.shares[scope].max_live
        return limit is None or self._busy[scope] < limit

    def _standing(self, scope: Id) -> tuple[int, int]:
        return self._busy[scope], self.shares[scope].served_at

    def _lane_key(self, lane: _Lane) -> tuple[int, int, int, Id]:
        priority, attempt_id = lane.waiting[-1]
        return (priority, *self._standing(lane.workflow_id), attempt_id)
