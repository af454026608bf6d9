"""The catalogue of the platform: snapshots and credentials from Django's tables, what is kept from the rules in memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import TypeVar

from django.db import DatabaseError, connection

from kivuko.errors import RecordsUnavailable
from kivuko.platform.changes import on_configuration_change
from kivuko.platform.credentials.bodies import credential_body
from kivuko.platform.workflows.document import WorkflowDocument
from kivuko.platform.workflows.snapshots import read_snapshot
from kivuko.records import Id, Rules, RunEnd, WorkflowEnd

__all__ = ["PlatformCatalogue"]

R = TypeVar("R")

_MOST_KEPT = 1_000


class PlatformCatalogue:
    """Answers from memory until the configuration changes. ``close`` ends that."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._guard = threading.Lock()
        self._bodies: OrderedDict[tuple[Id, Id], Mapping[str, object]] = OrderedDict()
        self._version = 0
        self.close = on_configuration_change(self._forget)

    def document(self, snapshot_id: Id) -> WorkflowDocument:
        """The workflow of a snapshot. Raises ObjectMissing, RecordsUnavailable."""
        return _asked(lambda: read_snapshot(snapshot_id))

    def credential(self, credential_id: Id, project_id: Id) -> Mapping[str, object]:
        """The decrypted body of a credential of this project. Raises ObjectMissing, SecretUnreadable, RecordsUnavailable."""
        key = (credential_id, project_id)
        with self._guard:
            found, version = self._bodies.get(key), self._version
        if found is not None:
            return found
        found = _asked(lambda: credential_body(credential_id, project_id))
        with self._guard:
            # What was read while the configuration changed may be the old one.
            if version == self._version:
                self._bodies[key] = found
            if len(self._bodies) > _MOST_KEPT:
                self._bodies.popitem(last=False)
        return found

    def keeps_output(self, project_id: Id, workflow_id: Id, job_id: Id | None) -> bool:
        """Always, unless the project erases all and no trigger hands on what comes out."""
        if not self._rules.erases(project_id):
            return True
        ends = [
            WorkflowEnd(project_id, workflow_id, succeeded, False)
            if job_id is None
            else RunEnd(project_id, workflow_id, job_id, succeeded, False)
            for succeeded in (True, False)
        ]
        return any(self._rules.followers(end) for end in ends)

    def _forget(self) -> None:
        with self._guard:
            self._version += 1
            self._bodies.clear()


def _asked(question: Callable[[], R]) -> R:
    """The answer of the database; a connection that died while nobody used it is made anew. Raises RecordsUnavailable."""
    try:
        return question()
    except DatabaseError:
        connection.close()
    try:
        return question()
    except DatabaseError as problem:
        connection.close()
        raise RecordsUnavailable(f"the database does not answer: {problem}") from problem
