"""Which host serves which Run."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from kivuko.engines.host import Host, HostState
from kivuko.engines.pool import soon_free


def host(state: HostState, *, used_s_ago: float, loaded: bool = True, isolated: bool = False) -> Host:
    """What the rule looks at; it is second 100."""
    look = SimpleNamespace(
        state=state, last_used=100 - used_s_ago, loaded=b"" if loaded else None, profile=SimpleNamespace(isolated=isolated)
    )
    return cast(Host, look)


@pytest.mark.parametrize(
    ("hosts", "waited_s", "waits"),
    [
        ([], 0.0, False),
        ([host(HostState.RUNNING, used_s_ago=0.01)], 0.0, True),
        ([host(HostState.RUNNING, used_s_ago=0.01)], 0.2, False),
        ([host(HostState.RUNNING, used_s_ago=0.05)], 0.0, False),
        ([host(HostState.RUNNING, used_s_ago=5), host(HostState.RUNNING, used_s_ago=0.01)], 0.05, True),
        ([host(HostState.RUNNING, used_s_ago=0.01, isolated=True)], 0.0, False),
        ([host(HostState.ENDING, used_s_ago=0.5)], 0.5, True),
        ([host(HostState.ENDING, used_s_ago=2)], 0.5, False),
        ([host(HostState.RUNNING, used_s_ago=0.5, loaded=False)], 0.5, True),
        ([host(HostState.RUNNING, used_s_ago=2, loaded=False)], 2.0, False),
    ],
    ids=[
        "none",
        "soon",
        "waited enough",
        "busy for long",
        "one is quick",
        "of one Attempt",
        "ends",
        "does not end",
        "loads",
        "hangs while it loads",
    ],
)
def test_a_run_waits_for_hosts_that_are_soon_free(hosts: list[Host], waited_s: float, waits: bool) -> None:
    assert soon_free(hosts, waited_s, 100.0) is waits
