"""What the execution of Attempts must know of workflows and credentials: a small protocol, answered by the platform."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from kivuko.platform.workflows.document import WorkflowDocument
from kivuko.records import Id

__all__ = ["Catalogue"]


class Catalogue(Protocol):
    """Answers may come from memory or from the database: never called on an event loop."""

    def document(self, snapshot_id: Id) -> WorkflowDocument:
        """The workflow of a snapshot. Raises ObjectMissing."""

    def credential(self, credential_id: Id, project_id: Id) -> Mapping[str, object]:
        """The decrypted body of a credential that the project may use. Raises ObjectMissing."""

    def keeps_output(self, project_id: Id, workflow_id: Id, job_id: Id | None) -> bool:
        """Whether the output of this job (None: the workflow's final state) is stored: always, unless the project erases all.

        An erasing project stores what triggers hand on, until nobody needs it any more.
        """
