"""The way in: words of the shell to a command, and what comes out of it to an exit code.

``--version`` is answered here, before anything else is imported.
"""

from __future__ import annotations

import io
import os
import sys

from kivuko import __version__

__all__ = ["INTERRUPTED", "PIPE_CLOSED", "main"]

INTERRUPTED = 130
PIPE_CLOSED = 141


def main() -> int:
    """Run the command line of this process and give its exit code (0, 1, 9, 130, 141; cli.md §2.4)."""
    words = sys.argv[1:]
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # whatever the locale says: logs hold ✔ and what jobs print
    try:
        if words in (["--version"], ["-v"]):
            sys.stdout.write(__version__ + "\n")
            code = 0
        else:
            from kivuko.cli.dispatch import dispatch  # here, so that --version does not pay for it

            code = dispatch(words, os.path.basename(sys.argv[0]) or "kivuko")
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output has gone: nothing can be said to anyone, and Python's own flush at exit must not try.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as problem:  # noqa: BLE001  # the boundary of the process: what nobody foresaw is told, not thrown at the person
        return _tell_fault(problem, words)
    return code


def _tell_fault(problem: Exception, words: list[str]) -> int:
    """Say that Kivuko itself failed; where, only to who asks for it."""
    sys.stderr.write(f"✘ Command failed!\n✘ {type(problem).__name__}: {problem}\n")
    if any("debug" in word for word in words):
        sys.excepthook(type(problem), problem, problem.__traceback__)
    else:
        sys.stderr.write("This is a fault of Kivuko or of the machine. -l debug shows where it happened; please report that.\n")
    return 1
