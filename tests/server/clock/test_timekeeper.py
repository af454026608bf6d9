"""The clock of a server as it is: everything at once, in real time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from clockwork.fixtures import migrated_file, migrated_server, world
from clockwork.mailbox import Mailbox
from clockwork.worlds import World
from kivuko.platform.notifications.models import Notification
from kivuko.platform.operations.bulk import create_bulk_rerun, operation
from kivuko.platform.workflows.starts import trigger_start
from kivuko.records import Cause, Change, ExitReason, Input, Origin, Run, StartWork
from kivuko.server.clock import Timekeeper

__all__ = ["migrated_file", "migrated_server", "world"]

PATIENCE_S = 30


def eventually(holds: Callable[[], bool]) -> bool:
    """Whether it comes true in time."""
    end = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)  # paced: polls with a deadline
    return True


@pytest.fixture
def mailbox(world: World) -> Iterator[Mailbox]:
    """A mail server on loopback."""
    with Mailbox() as opened:
        yield opened


@pytest.fixture
def keeper(world: World, mailbox: Mailbox) -> Iterator[Timekeeper]:
    """Started."""
    opened = Timekeeper(world.records, world.rules)
    opened.start()
    yield opened
    opened.stop()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("clock-")]


def test_a_failed_run_is_told_by_mail_and_its_log_found_and_it_runs_again(world: World, keeper: Timekeeper, mailbox: Mailbox) -> None:
    parts = world.save({"kind": "manual"}, [{"name": "Payment"}])
    begins = trigger_start(parts.document, parts.snapshot_id, parts.triggers[0], Cause.MANUAL)
    world.do(StartWork(begins, Origin(world.project_id), Input(), guard_us=0))
    world.work(reason=ExitReason.FAIL, error_type="JobError", log=["surname is missing in form.surname"])
    (run,) = world.rows(Run)
    keeper.heard([Change("notice", world.project_id, run.id)])
    assert eventually(lambda: len(mailbox.letters) == 1)
    assert Notification.objects.filter(user_id=world.owner.id).count() == 1
    assert eventually(lambda: list(keeper.finder.runs(world.project_id, "surname is missing")) == [run.id])
    made = create_bulk_rerun(world.project_id, subject="runs", ids=[run.id])
    assert eventually(lambda: (found := operation(made.id)) is not None and found.state == "done")
    assert [each.cause for each in world.rows(Run)] == [Cause.MANUAL, Cause.RERUN]
