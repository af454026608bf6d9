"""The command line: arguments in, exit code out. One module a command; the work is done on the floors below.

Nothing is imported here but the way in: start-up time is paid by every run.
"""

from __future__ import annotations

from kivuko.cli.entry import main

__all__ = ["main"]
