"""Everything that the clock of a server does, put together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.db import connections

from kivuko.platform.execution.limits import Limits
from kivuko.platform.notifications.delivery import Postman
from kivuko.platform.notifications.telling import Teller
from kivuko.platform.operations.running import OperationRunner
from kivuko.platform.projects.settings import all_projects, deleted_projects
from kivuko.platform.reaching import reaching
from kivuko.platform.schedules.ticking import Ticker
from kivuko.records import LEASE_US, Change, Election, Records
from kivuko.records.rules import Rules
from kivuko.records.search import Finder, Indexer, open_index
from kivuko.server.clock.chore import Chore, nothing
from kivuko.server.clock.clock import Clock
from kivuko.server.clock.leases import LeaseChore
from kivuko.server.clock.overlong import Overlong
from kivuko.server.clock.parking import unpark
from kivuko.server.clock.retention import Keeping, RetentionChore
from kivuko.server.clock.sweeping import sweep

__all__ = ["Timekeeper"]

_QUIET_S = 0.1
_BEHIND_AT_MOST_S = 30.0


class Timekeeper:
    """Leases, parked work, schedules, notices, mail, search, operations, retention. Subscribe ``heard`` to the changes of the records.

    ``indexer.behind_s`` and ``on_lease_expired`` are for ``/metrics``, ``finder`` is the API's. Raises RecordsUnavailable.
    """

    def __init__(
        self,
        records: Records,
        rules: Rules,
        *,
        limits: Limits | None = None,
        lease_us: int = LEASE_US,
        on_lease_expired: Callable[[], None] = nothing,
    ) -> None:
        self._records = records
        self._index = open_index(records.database)
        self.finder = Finder(records, self._index)
        self.indexer = Indexer(records, self._index, erases=rules.erases)
        self._teller = Teller(records)
        leases = LeaseChore(records, lease_us=lease_us, on_expired=on_lease_expired)
        ticker = Ticker(records)
        retention = RetentionChore(records, _keepings, self._index, prepare=_reaching(ticker.pin_states))
        self.clock = Clock(
            Election(records.database),
            [
                leases.chore,
                Chore("overlong", 10.0, Overlong(records, limits or Limits()).work),
                Chore("parked", 1.0, unpark(records)),
                Chore("schedules", 1.0, _reaching(ticker.work)),
                Chore("notices", 2.0, _reaching(self._tell)),
                Chore("mail", 5.0, _reaching(Postman().work)),
                Chore("search", 1.0, self._follow),
                Chore("operations", 1.0, _reaching(OperationRunner(records).work)),
                retention.chore,
                Chore("objects", 6 * 3600.0, sweep(records)),
            ],
            at_end=connections.close_all,
        )

    def start(self) -> None:
        """Begins."""
        self.clock.start()

    def stop(self) -> None:
        """Ends all chores, waiting some seconds for what is being done."""
        self.clock.stop()
        self._index.close()

    def heard(self, changes: Sequence[Change]) -> None:
        """What was committed: somebody who is to be told is told at once."""
        if any(change.kind == "notice" for change in changes):
            self.clock.wake("notices")

    def _follow(self) -> bool:
        # While senders wait for their answers, a batch a second is enough, until the index is too far behind.
        more = self.indexer.step()
        return more and (self._records.quiet_s > _QUIET_S or self.indexer.behind_s > _BEHIND_AT_MOST_S)

    def _tell(self) -> bool:
        more = self._teller.work()
        self.clock.wake("mail")
        return more


def _reaching(work: Callable[[], bool | None]) -> Callable[[], bool]:
    def done() -> bool:
        with reaching():
            return bool(work())

    return done


def _keepings() -> Sequence[Keeping]:
    with reaching():
        kept = [
            Keeping(
                project.id,
                messages_days=project.message_retention_days,
                dataclips_days=project.dataclip_retention_days,
                history_days=project.history_retention_days,
                erases=project.erases,
            )
            for project in all_projects()
        ]
        return [*kept, *(Keeping(project_id, gone=True) for project_id in deleted_projects())]
