"""The Node installation that installs, bundles and bakes: node itself and its npm."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from kivuko.errors import InstallFailed
from kivuko.value import value

__all__ = ["NodeProgram", "child_environment"]

_TIME_LIMIT_S = 300


@value
class NodeProgram:
    """A Node binary, for short programs that read one JSON value and print one."""

    binary: Path

    def ask(self, arguments: Sequence[str], question: object, folder: Path) -> object:
        """Runs ``node <arguments>`` in a folder, the question as JSON on stdin; gives the JSON it printed. Raises InstallFailed."""
        command = [str(self.binary), *arguments]
        try:
            done = subprocess.run(
                command, input=json.dumps(question).encode(), cwd=folder, env={}, capture_output=True, check=False, timeout=_TIME_LIMIT_S
            )
            return json.loads(done.stdout)
        except subprocess.TimeoutExpired as error:
            raise InstallFailed(f"{arguments[-1]} did not end within {_TIME_LIMIT_S} s.") from error
        except OSError as error:
            raise InstallFailed(f"Node.js cannot be started: {error}", fix="Check Node.js with `kivuko doctor`.") from error
        except ValueError as error:
            words = done.stderr.decode(errors="replace").strip()
            raise InstallFailed("A program of the adaptor store ended without an answer.", details=words[-2000:]) from error


def child_environment(environment: dict[str, str] | os._Environ[str] = os.environ) -> dict[str, str]:
    """What npm may see of an environment: all but the variables of OpenFn and Kivuko, which hold tokens, and Node's own options."""
    hidden = ("OPENFN_", "KIVUKO_", "NODE_OPTIONS")
    return {name: value for name, value in environment.items() if not name.startswith(hidden)}
