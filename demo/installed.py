"""What the demos need: the command `kivuko`, and adaptors in the project's own cache."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from demo.screen import Screen

__all__ = ["REPO", "ROOT", "install_adaptors", "kivuko_command"]

ROOT = Path(__file__).resolve().parents[1]
REPO = ROOT / ".cache" / "repo"


def kivuko_command(screen: Screen) -> str | None:
    """The installed command beside this Python, else on the path; None, with what to do on the screen, when there is none."""
    found = shutil.which("kivuko", path=str(Path(sys.executable).parent)) or shutil.which("kivuko")
    if found is None:
        screen.error("The command `kivuko` is not installed. Run `make setup`, then `make demo`.")
    return found


def install_adaptors(kivuko: str, adaptors: Sequence[str], screen: Screen) -> bool:
    """Have the adaptors in the project's own cache; the first time they come from npm. False when that failed."""
    names = ", ".join(adaptor.removeprefix("@openfn/").partition("@")[0] for adaptor in adaptors)
    if all((REPO / "node_modules" / f"{name}_{version}").is_dir() for name, _, version in (each.rpartition("@") for each in adaptors)):
        screen.fact("adaptors", names, "installed")
        return True
    screen.fact("adaptors", names, "coming from npm, once; this can take a minute …")
    command = [kivuko, "repo", "install", "--repo-dir", str(REPO), *(word for adaptor in adaptors for word in ("-a", adaptor))]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        screen.error("The adaptors could not be installed. This is what kivuko said:")
        screen.text(done.stdout)
    return done.returncode == 0
