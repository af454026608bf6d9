"""``python -m kivuko.cli`` is ``kivuko``."""

from __future__ import annotations

import sys

from kivuko.cli.entry import main

if __name__ == "__main__":
    sys.argv[0] = "kivuko"
    sys.exit(main())
