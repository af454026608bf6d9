"""Writing the audit trail: in the transaction of the change itself."""

from __future__ import annotations

from collections.abc import Mapping

from kivuko.platform.accounts.actors import Actor
from kivuko.platform.audit.models import AuditEntry
from kivuko.records import Id

__all__ = ["note"]


def note(
    actor: Actor,
    event: str,
    item_type: str,
    item_id: Id,
    *,
    project_id: Id | None = None,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> None:
    """Notes that somebody changed something. ``before`` and ``after`` are JSON values without secrets; only what differs is kept."""
    old, new = dict(before or {}), dict(after or {})
    changed = {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)}
    AuditEntry.objects.create(
        project_id=project_id,
        actor_kind=actor.kind,
        actor_id=actor.user_id,
        event=event,
        item_type=item_type,
        item_id=item_id,
        changes={
            "before": {key: value for key, value in old.items() if key in changed},
            "after": {key: value for key, value in new.items() if key in changed},
        },
        address=actor.address,
    )
