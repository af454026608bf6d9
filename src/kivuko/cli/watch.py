"""``--watch``: run again whenever a file changes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path

from kivuko.cli.call import Call
from kivuko.cli.failure import print_abort
from kivuko.errors import KivukoError

__all__ = ["changed_at", "watch"]

_INTERVAL_S = 0.3


def watch(call: Call, run: Callable[[], int], files: Iterable[Path]) -> int:
    """Call ``run`` now and after each change of ``files``, until Ctrl-C (which raises KeyboardInterrupt)."""
    known = tuple(files)
    while True:
        before = changed_at(known)
        try:
            run()
        except KivukoError as problem:
            print_abort(problem, call)
            call.failed(problem)
        call.log.always("Waiting for changes (Ctrl-C ends it)")
        _wait_for_change(known, before)


def _wait_for_change(files: tuple[Path, ...], before: object) -> None:
    """Wait until something is different, and then until nothing changes any more: editors write in steps."""
    now = changed_at(files)
    while now == before:
        time.sleep(_INTERVAL_S)
        now = changed_at(files)
    last = before
    while now != last:
        time.sleep(_INTERVAL_S)
        last, now = now, changed_at(files)


def changed_at(files: Iterable[Path]) -> tuple[tuple[str, int, int], ...]:
    """Name, time of change (ns) and size of each file and, for a file, of the scripts and data that lie beside it."""
    found = []
    for file in files:
        for known in sorted({file, *file.parent.glob("*.js"), *file.parent.glob("*.y*ml")}):
            try:
                status = known.stat()
            except OSError:
                continue
            found.append((str(known), status.st_mtime_ns, status.st_size))
    return tuple(found)
