"""What the lanes, the rules and the clock keep in memory follows one number: it rises in every transaction that changes configuration.

In the process that commits, listeners hear of it at once; in others when they ``look``, which the server does every second.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from kivuko.errors import RecordsUnavailable
from kivuko.platform.inbox.models import InboxSecret
from kivuko.platform.projects.models import ConfigurationVersion
from kivuko.platform.reaching import reaching

__all__ = ["Change", "configuration_change", "configuration_version", "look", "on_configuration_change"]

Listener = Callable[[], None]

_listeners: list[Listener] = []
_guard = threading.Lock()
_seen: list[int] = []


@dataclass
class Change:
    """What a transaction says about itself: ``made`` becomes False when it found nothing to change."""

    made: bool = True


@contextmanager
def configuration_change() -> Iterator[Change]:
    """A transaction that changes configuration: the number rises with it, listeners hear of it after its commit."""
    change = Change()
    with transaction.atomic():
        yield change
        if not change.made:
            return
        if not ConfigurationVersion.objects.filter(id=1).update(number=F("number") + 1):
            # Two processes may do their first change at once: one of them waits here and raises the other's number.
            ConfigurationVersion.objects.get_or_create(id=1)
            ConfigurationVersion.objects.filter(id=1).update(number=F("number") + 1)
        # What was committed stays so, whatever a listener meets; who was not told looks again.
        transaction.on_commit(_compare, robust=True)


@reaching()
def configuration_version() -> int:
    """The number as it is in the database; 0 before the first change. Raises RecordsUnavailable."""
    found = ConfigurationVersion.objects.filter(id=1).values_list("number", flat=True).first()
    return found or 0


def on_configuration_change(listener: Listener) -> Callable[[], None]:
    """Adds a listener, called on the thread that committed or looked: it must be quick, or hand on, and may raise
    RecordsUnavailable only: then it is told again with the next look.

    What comes out ends its subscription.
    """
    with _guard:
        _listeners.append(listener)
    return lambda: _remove(listener)


def look() -> bool:
    """Compares the number with the last one seen and tells the listeners when it is another; whether they were told.

    An old address of an inbox whose overlap is over ends here: time changes configuration too. Raises RecordsUnavailable.
    """
    return _end_overlaps() or _compare()


def _compare() -> bool:
    number = configuration_version()
    with _guard:
        if _seen == [number]:
            return False
        _seen[:] = [number]
        listeners = list(_listeners)
    for listener in listeners:
        try:
            listener()
        except RecordsUnavailable:
            # It could not read what is new: the next look tells everybody again.
            with _guard:
                _seen.clear()
    return True


@reaching()
def _end_overlaps() -> bool:
    ended = InboxSecret.objects.filter(ends_at__lte=timezone.now())
    if not ended.exists():
        return False
    with configuration_change() as change:
        # Another process may have been faster; then its number is seen with the next look.
        change.made = bool(ended.delete()[0])
    return change.made


def _remove(listener: Listener) -> None:
    with _guard:
        if listener in _listeners:
            _listeners.remove(listener)
