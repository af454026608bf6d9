"""The clock: what has to be done every second, or every hour, without anybody asking (server-and-data §2, 8, 10, 11)."""

from kivuko.server.clock.chore import Chore
from kivuko.server.clock.clock import Clock
from kivuko.server.clock.leases import LeaseChore
from kivuko.server.clock.parking import unpark
from kivuko.server.clock.retention import Keeping, RetentionChore
from kivuko.server.clock.timekeeper import Timekeeper

__all__ = ["Chore", "Clock", "Keeping", "LeaseChore", "RetentionChore", "Timekeeper", "unpark"]
