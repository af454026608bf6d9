"""A process that serves is not held up by its own garbage collector, and still has one."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import gc
import weakref
from kivuko.server.garbage import calm_garbage_collector

class Ring:
    pass

kept = [Ring() for _ in range(1000)]
calm_garbage_collector()
assert gc.isenabled()
assert gc.get_freeze_count() > 1000
assert not any(type(each) is Ring for each in gc.get_objects())
first = Ring()
first.itself, seen = first, weakref.ref(first)
del first
made = 0
while seen() is not None:
    kept.append([made])
    made += 1
    assert made < 2_000_000
print("collected")
"""


def test_what_the_start_made_is_passed_over_and_later_cycles_are_still_found() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "collected\n", done.stderr
