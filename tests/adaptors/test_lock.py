"""One process at a time changes a repo folder."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

from kivuko.adaptors.lock import locked

HOLD = """
import sys
from pathlib import Path
from kivuko.adaptors.lock import locked
with locked(Path(sys.argv[1]), on_wait=lambda: None):
    print("held", flush=True)
    sys.stdin.readline()
"""


def test_a_free_lock_is_taken_without_waiting(tmp_path: Path) -> None:
    waited: list[bool] = []
    for _ in range(2):
        with locked(tmp_path / "a/lock", on_wait=lambda: waited.append(True)):
            pass
    assert waited == []


def test_a_lock_that_another_process_holds_is_waited_for(tmp_path: Path) -> None:
    file, waiting, entered = tmp_path / "lock", threading.Event(), threading.Event()
    with subprocess.Popen([sys.executable, "-c", HOLD, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdin
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"

        def wait() -> None:
            with locked(file, on_wait=waiting.set):
                entered.set()

        thread = threading.Thread(target=wait)
        thread.start()
        assert waiting.wait(30)
        assert not entered.is_set()
        holder.stdin.write("go\n")
        holder.stdin.close()
        assert entered.wait(30)
        thread.join()


def test_the_lock_of_a_process_that_died_is_free(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    with subprocess.Popen([sys.executable, "-c", HOLD, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        holder.kill()
    with locked(file, on_wait=lambda: None):
        assert file.exists()
