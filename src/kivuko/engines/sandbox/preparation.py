"""Everything that can be made before the fork, so that little is left to do after it."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence

from kivuko.engines.sandbox import landlock
from kivuko.engines.sandbox.availability import available_layers
from kivuko.engines.sandbox.bpf import Program
from kivuko.engines.sandbox.confinement import SYSTEM_EXECUTABLE, SYSTEM_READABLE, Confinement, Layer
from kivuko.engines.sandbox.libc import machine
from kivuko.engines.sandbox.limits import limits_of
from kivuko.engines.sandbox.syscalls import filter_program
from kivuko.value import value

__all__ = ["Preparation", "prepare"]


@value
class Preparation:
    """What a child applies to itself. ``ruleset`` is a descriptor of the process that prepared, to be closed by it after the fork."""

    program: str
    argv: tuple[str, ...]
    env: dict[str, str]
    active: frozenset[Layer]
    missing: frozenset[Layer]
    bounds: tuple[tuple[int, int], ...]
    user: tuple[int, int] | None
    ruleset: int | None
    filter: Program | None
    listen: bool
    default_signals: tuple[int, ...]

    def close(self) -> None:
        """Close the ruleset."""
        if self.ruleset is not None:
            os.close(self.ruleset)


def _wanted(confinement: Confinement) -> frozenset[Layer]:
    if confinement.watch_connect:
        return confinement.layers
    return confinement.layers - {Layer.CONNECT_WATCH}


def _signals_to_reset() -> tuple[int, ...]:
    """Signals that Python handles or ignores; the new program starts with the system's own reactions."""
    return tuple(one for one in signal.valid_signals() if signal.getsignal(one) not in (signal.SIG_DFL, None))


def prepare(argv: Sequence[str], env: Mapping[str, str], confinement: Confinement) -> Preparation:
    """Build the ruleset and the filter for a program. Raises OSError when the kernel refuses a ruleset."""
    wanted = _wanted(confinement)
    active = wanted & available_layers()
    listen = Layer.CONNECT_WATCH in active and Layer.SECCOMP in active
    ruleset = None
    if Layer.LANDLOCK in active:
        readable = SYSTEM_READABLE + confinement.readable
        executable = (*SYSTEM_EXECUTABLE, argv[0], *confinement.executable)
        ruleset = landlock.open_ruleset(readable, executable, confinement.unix_sockets)
    processor = machine()
    refusals = filter_program(processor, confinement.unix_sockets, listen) if processor and Layer.SECCOMP in active else None
    return Preparation(
        program=argv[0],
        argv=tuple(argv),
        env=dict(env),
        active=active,
        missing=wanted - active,
        bounds=limits_of(confinement) if Layer.LIMITS in active else (),
        user=confinement.user,
        ruleset=ruleset,
        filter=refusals,
        listen=listen,
        default_signals=_signals_to_reset(),
    )
