"""One engine for all tests of a module, and short ways to run a script in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from kivuko.engines import Engine, EngineSettings, HostKey, LogLine, RunRequest, RunResult

KEY = HostKey("project", "credential")


def script(*operations: str, body: str = "", exports: str = "") -> str:
    """A host script as kivuko.language makes it: ``body`` on the author's lines, then one thunk for each operation, then exports."""
    thunks = "".join(f"O.push(()=>({operation}));" for operation in operations)
    return f"(async function(M,X,O,D){{'use strict';return (async function(){{\n{body}{thunks}{exports}\n}})()}})"


class Bench:
    """Runs scripts in an engine and keeps their log lines."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.lines: list[LogLine] = []

    def run(self, *operations: str, body: str = "", exports: str = "", state: bytes = b'{"data":{}}', **options: Any) -> RunResult:
        """The result of operations given as JavaScript expressions."""
        self.lines = []
        options = {"key": KEY, "attempt": "attempt", "job_id": "a", "job_name": "a", "source": "\n".join([body, *operations]), **options}
        request = RunRequest(script=options.pop("script", None) or script(*operations, body=body, exports=exports), state=state, **options)
        return self.engine.run(request, on_log=self.lines.append)

    @property
    def log(self) -> list[tuple[str, str, tuple[object, ...]]]:
        """The lines of the last run: level, source, message."""
        return [(line.level, line.source, line.message) for line in self.lines]


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with Engine(EngineSettings()) as engine:
        yield Bench(engine)
