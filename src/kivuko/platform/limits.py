"""How many Attempts may be under way: decided in the configuration, kept where the claim looks.

The records keep their own copy, written by their writer: it is told after the commit, and once when the process starts.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future

from django.db import transaction

from kivuko.platform.projects.models import Project
from kivuko.platform.workflows.models import Workflow
from kivuko.records import Id, SetLimit

__all__ = ["all_limits", "limit_changed", "tell_limits_to"]

Submit = Callable[[SetLimit], "Future[None]"]

_submit: list[Submit] = []


def tell_limits_to(submit: Submit) -> None:
    """Names who writes limits (``Records.submit``), and tells all of them at once: some may have changed while nobody was there."""
    _submit[:] = [submit]
    for limit in all_limits():
        submit(limit)


def all_limits() -> list[SetLimit]:
    """The limit of every project and workflow."""
    limits = [SetLimit(scope, most) for scope, most in Project.objects.values_list("id", "concurrency")]
    return limits + [SetLimit(scope, most) for scope, most in Workflow.objects.values_list("id", "concurrency")]


def limit_changed(scope_id: Id, max_live: int | None) -> None:
    """Tells the records after the commit of the transaction that calls this; when they are closed by then, at the next start."""
    transaction.on_commit(lambda: _tell(SetLimit(scope_id, max_live)), robust=True)


def _tell(limit: SetLimit) -> None:
    for submit in _submit:
        submit(limit)
