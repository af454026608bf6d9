"""Hosts of an engine that is run by root become the configured user."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from kivuko.engines import Engine, EngineSettings, HostKey, Limits, ModuleFiles
from kivuko.errors import AdaptorBroken

from .conftest import Bench

NOBODY = (65534, 65534)
ROOT = os.getuid() == 0


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with Engine(EngineSettings(user=NOBODY, most_hosts=2)) as engine:
        yield Bench(engine)


def users_of_hosts(pid: int) -> set[int]:
    """Who the hosts are that a process has started, directly or through others."""
    found: set[int] = set()
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            status = dict(line.split(":", 1) for line in Path(f"/proc/{child}/status").read_text().splitlines())
            if b"host.js" in Path(f"/proc/{child}/cmdline").read_bytes():
                found.add(int(status["Uid"].split()[1]))
            found |= users_of_hosts(int(child))
    return found


def test_a_host_is_that_user_and_works_as_ever(bench: Bench) -> None:
    result = bench.run("s => ({ ...s, sum: 1 + 1 })")
    assert result.error is None
    assert json.loads(result.state or b"")["sum"] == 2
    assert users_of_hosts(os.getpid()) == {NOBODY[0] if ROOT else os.getuid()}


def test_a_host_of_another_user_can_be_ended_and_replaced(bench: Bench) -> None:
    result = bench.run("s => { while (true); }", limits=Limits(timeout_ms=500))
    assert result.error is not None
    assert result.error.name == "TimeoutError"
    assert bench.run("s => s").error is None


@pytest.mark.skipif(not ROOT, reason="only root can become another user")
def test_an_adaptor_that_the_user_cannot_read_is_an_error(bench: Bench) -> None:
    with tempfile.TemporaryDirectory() as closed:  # readable by its owner alone
        (Path(closed) / "index.js").write_text("exports.hi = () => 'hi'")
        files = ModuleFiles("x", "x@1.0.0", "folder", f"{closed}/index.js", (closed,))
        key = HostKey("project", "credential", (files,))
        with pytest.raises(AdaptorBroken, match=r'import module "x"\nEACCES: permission denied'):
            bench.run("s => s", modules={"x": "x@1.0.0"}, key=key)
        Path(closed).chmod(0o755)
        assert bench.run("s => s", modules={"x": "x@1.0.0"}, key=key).error is None
