"""The servers of the journeys: one process for each kind of database, which all modules share; a project of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from journeys.mailbox import Mailbox
from journeys.own_server import OwnServer, database_url
from records.own_postgresql import MISSING, is_installed, own_postgresql
from systems.adaptor_repo import adaptor_repo


@pytest.fixture(scope="session")
def mailbox() -> Iterator[Mailbox]:
    """Where the servers' mail arrives."""
    with Mailbox() as mailbox:
        yield mailbox


@pytest.fixture(scope="session", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, mailbox: Mailbox) -> Iterator[OwnServer]:
    """A running server."""
    settings = {"KIVUKO_MAIL_URL": mailbox.url, "KIVUKO_ADMIN_PASSWORD": "canary-password-of-amina"}
    with ExitStack() as stack:
        if request.param == "postgresql":
            if not is_installed():
                pytest.skip(MISSING)
            settings["DATABASE_URL"] = database_url(stack.enter_context(own_postgresql()))
        yield stack.enter_context(OwnServer(tmp_path_factory.mktemp(f"journeys-{request.param}"), Path(adaptor_repo("common")), **settings))
