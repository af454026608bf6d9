"""``kivuko repo install``: adaptors and other npm packages, installed side by side."""

from __future__ import annotations

import time

from kivuko.adaptors import parse_specifier
from kivuko.cli.adaptors_in_use import AdaptorsInUse
from kivuko.cli.call import Call
from kivuko.cli.commands import Command
from kivuko.cli.own_engine import open_engine
from kivuko.cli.progress import Progress
from kivuko.cli.shared import ADAPTORS, EXPAND, JSON, REPO_DIR
from kivuko.errors import InputError, UsageError
from kivuko.runtime.logs import duration_text

__all__ = ["COMMAND", "install"]


def install(call: Call) -> int:
    """Install plain names as npm packages, and those of ``-a`` as adaptors. What moves (``latest``) is always asked for."""
    packages, named = call.arguments.words, call.arguments.list("adaptors")
    if not packages and not named:
        raise UsageError(
            "Not enough non-option arguments: got 0, need at least 1", fix=f"Name what to install: {call.program} repo install -a http"
        )
    expand = call.arguments.flag("expand-adaptors", True)
    specifiers = [parse_specifier(text, expand=False) for text in packages] + [parse_specifier(text, expand=expand) for text in named]
    for specifier in specifiers:
        if specifier.path:
            raise InputError(
                f"{specifier} is a folder, which needs no installing", fix=f"Use it at once: {call.program} job.js -a {specifier}"
            )
    began = time.monotonic()
    with open_engine(call) as engine, Progress(call) as progress:
        adaptors = AdaptorsInUse.of(call, engine, progress)
        call.log.always("Installing packages...")
        done = adaptors.repo.install(specifiers, progress=adaptors.hear)
    call.log.success(f"Installation complete in {duration_text((time.monotonic() - began) * 1000)}")
    call.result({"installed": [{"name": one.name, "version": one.version, "already": one.already} for one in done]})
    return 0


COMMAND = Command(
    name="repo-install",
    run=install,
    options=(ADAPTORS, REPO_DIR, EXPAND, JSON),
    takes=None,
    about="Installs adaptors (-a, short names are expanded) and other npm packages in the repo folder; several versions lie side by side.",
    examples=("repo install -a http", "repo install -a common@3.3.4 -a fhir", "repo install @openfn/language-dhis2@latest"),
)
