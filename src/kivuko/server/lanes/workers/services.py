"""What all connections of workers share: the records, the catalogue, the keys, the limits, and matchers of secrets."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

import orjson

from kivuko.errors import ObjectMissing
from kivuko.platform.execution import Catalogue, Limits, RunTokens
from kivuko.platform.workflows.document import WorkflowDocument
from kivuko.records import Records
from kivuko.runtime.secrets import Scrubber
from kivuko.server.lanes.workers.plan import Plans

__all__ = ["Scrubbers", "Services"]

_NO_SECRETS = Scrubber()


class Scrubbers:
    """Keeps the matchers that were made last: one for each set of credential bodies."""

    def __init__(self, at_most: int = 256) -> None:
        self._at_most = at_most
        self._guard = threading.Lock()
        self._kept: OrderedDict[bytes, Scrubber] = OrderedDict()

    def of(self, bodies: list[dict[str, object]]) -> Scrubber:
        """The matcher of these credentials."""
        key = orjson.dumps(bodies, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
        with self._guard:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
        made = Scrubber.of((body, None) for body in bodies)
        with self._guard:
            self._kept[key] = made
            if len(self._kept) > self._at_most:
                self._kept.popitem(last=False)
        return made


@dataclass(frozen=True)
class Services:
    """Shared by all conversations of a process. ``now_us`` is the clock for log lines without a time."""

    records: Records
    catalogue: Catalogue
    run_tokens: RunTokens
    limits: Limits = field(default_factory=Limits)
    now_us: Callable[[], int] = lambda: time.time_ns() // 1000
    scrubbers: Scrubbers = field(default_factory=Scrubbers)
    plans: Plans = field(default_factory=Plans)

    def scrubber(self, document: WorkflowDocument) -> Scrubber:
        """What hides the secrets of all credentials of a workflow. One that is gone hides nothing."""
        ids = sorted({job.credential_id for job in document.jobs if job.credential_id})
        bodies = []
        for credential_id in ids:
            try:
                bodies.append(dict(self.catalogue.credential(credential_id, document.project_id)))
            except ObjectMissing:
                continue
        return self.scrubbers.of(bodies) if bodies else _NO_SECRETS
