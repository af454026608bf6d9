"""Filling the queue and claiming from it, for tests."""

from __future__ import annotations

from kivuko.records.claims import Claim
from kivuko.records.ids import Id, new_id
from kivuko.records.starting import Input, Origin
from kivuko.records.work import StartWork
from records.scenes import Scene


def queue(scene: Scene, count: int = 1, *, project: Id | None = None, workflow: Id | None = None, **queueing: object) -> list[Id]:
    """Puts Attempts into the queue; their ids, oldest first."""
    workflow = workflow or new_id()
    intents = []
    for _ in range(count):
        start = scene.start(workflow_id=workflow, **queueing)
        intents.append(StartWork(start, Origin(project or scene.project_id), Input(), guard_us=0))
    for future in [scene.writer.submit(intent) for intent in intents]:
        future.result(10)
    return [intent.start.attempt_id for intent in intents]


def claimed(scene: Scene, demand: int = 1, **wishes: object) -> list[Id]:
    return [each.attempt_id for each in scene.do(Claim(new_id(), demand, **wishes))]  # type: ignore[arg-type]
