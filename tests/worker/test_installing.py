"""Adaptors that are missing are installed when an Attempt needs them."""

from __future__ import annotations

import pytest

from kivuko.records import AttemptState
from systems.adaptor_repo import VERSIONS
from worker.rooms import Room, flow

pytestmark = [pytest.mark.network, pytest.mark.slow]


def test_a_missing_adaptor_is_installed_and_the_attempt_goes_on(room: Room) -> None:
    room.worker(install=True)
    adaptor = f"@openfn/language-common@{VERSIONS['common']}"
    document = flow({"One": {"expression": "fn(s => ({ data: dateFns.format(new Date(0), 'yyyy') }))", "adaptor": adaptor}})
    attempt = room.ended(room.send(document).attempt_id, patience_s=300)
    assert attempt.state is AttemptState.SUCCESS
    assert any(f"Installed {adaptor}" in line.message for line in room.lines(attempt.id))


def test_an_adaptor_that_the_registry_does_not_have_ends_the_attempt(room: Room) -> None:
    room.worker(install=True)
    document = flow({"One": {"expression": "fn(s => s)", "adaptor": "@openfn/language-common@0.0.999"}})
    attempt = room.ended(room.send(document).attempt_id, patience_s=300)
    assert (attempt.state, attempt.error_type) == (AttemptState.EXCEPTION, "AutoinstallError")
    assert attempt.started_at is None
