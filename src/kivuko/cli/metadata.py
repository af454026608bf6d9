"""``kivuko metadata``: what a system holds, asked through its adaptor and kept in the repo (cli.md §3.7)."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from kivuko.adaptors import Adaptor
from kivuko.adaptors.metadata import known_metadata, mark_unsupported, metadata_key, save_metadata
from kivuko.cli.adaptors_in_use import AdaptorsInUse
from kivuko.cli.arguments import Option
from kivuko.cli.call import Call
from kivuko.cli.commands import Command
from kivuko.cli.input_state import read_state_file, read_state_text
from kivuko.cli.own_engine import open_engine
from kivuko.cli.progress import Progress
from kivuko.cli.rival_flags import warn_of_two_states
from kivuko.cli.shared import ADAPTORS, EXPAND, JSON, MONOREPO, REPO_DIR
from kivuko.engines import Engine, HostKey
from kivuko.errors import InputError, UsageError

__all__ = ["COMMAND", "metadata"]


def metadata(call: Call) -> int:
    """Ask, or take the kept answer, and print its file. Raises InputError, AdaptorProblem; 1 when the adaptor has no metadata function."""
    named = call.arguments.list("adaptors")
    if len(named) != 1:
        raise UsageError("metadata needs exactly one adaptor", fix=f"Name it: {call.program} metadata -a dhis2 -s state.json")
    warn_of_two_states(call)
    configuration = _configuration(call)
    call.log.always("Generating metadata")
    with open_engine(call) as engine, Progress(call) as progress:
        adaptors = AdaptorsInUse.of(call, engine, progress)
        specifier = adaptors.specifier(named[0])
        before = adaptors.repo.installed()
        adaptor = adaptors.repo.resolve(specifier, install=True, progress=adaptors.hear)
        if "metadata" not in adaptor.exports:
            return _unsupported(call, adaptors, adaptor, was_there=adaptor.version in before.get(adaptor.name, ()))
        layout = adaptors.repo.layout
        key = metadata_key(configuration, adaptor)
        file = None if call.arguments.flag("force") else known_metadata(layout, key)
        if file is None:
            progress.show(f"Asking {adaptor.name}")
            file = save_metadata(layout, key, _ask(engine, adaptor, configuration), datetime.now(UTC))
        progress.show("")
    return _done(call, file)


def _configuration(call: Call) -> Mapping[str, object]:
    text, path = call.arguments.text("state-stdin"), call.arguments.text("state-path")
    state: dict[str, object] = {}
    if text is not None:
        state = json.loads(read_state_text(text, sys.stdin.buffer.read))
    elif path is not None:
        state = json.loads(read_state_file(path, call.folder))
    configuration = state.get("configuration")
    if not isinstance(configuration, dict) or not configuration:
        raise InputError(
            "ERROR: Invalid configuration passed",
            details="Metadata is asked of a system, so the state needs the system's address and credential.",
            fix='Give a state with -s or -S: {"configuration": {"hostUrl": "…", …}}.',
        )
    return configuration


def _ask(engine: Engine, adaptor: Adaptor, configuration: Mapping[str, object]) -> Mapping[str, object]:
    answer = engine.call(HostKey("metadata", "", (adaptor.files,)), adaptor.files.specifier, "metadata", [dict(configuration)])
    if not isinstance(answer, dict):
        raise InputError(f"metadata() of {adaptor.name} gave no object", fix="Report it to the adaptor's author.")
    return answer


def _unsupported(call: Call, adaptors: AdaptorsInUse, adaptor: Adaptor, *, was_there: bool) -> int:
    call.log.error("No metadata helper found")
    call.log.error(f"{adaptor.name}@{adaptor.version} does not export a function metadata, so there is nothing to ask.")
    mark_unsupported(adaptors.repo.layout, adaptor, datetime.now(UTC))
    if not was_there and adaptor.origin == "repo" and not call.arguments.flag("keep-unsupported"):
        adaptors.repo.remove(adaptor.name, adaptor.version)
        call.log.always(f"Successfully removed {adaptor.name}_{adaptor.version}, which this command had installed")
    call.result({"supported": False, "adaptor": adaptor.name, "version": adaptor.version})
    return 1


def _done(call: Call, file: Path) -> int:
    call.log.success("Done!")
    call.log.always(str(file))
    call.result({"supported": True, "file": str(file), "metadata": json.loads(file.read_bytes()) if call.wants_json else None})
    return 0


COMMAND = Command(
    name="metadata",
    run=metadata,
    options=(
        ADAPTORS,
        Option("state-path", "File with a state whose configuration is the credential", ("s",), "text"),
        Option("state-stdin", "That state as JSON; - reads standard input", ("S",), "text"),
        Option("force", "Ask again even when an answer is kept", ("f",)),
        Option("keep-unsupported", "Keep the adaptor installed when it offers no metadata"),
        REPO_DIR,
        MONOREPO,
        EXPAND,
        JSON,
    ),
    about="Asks a system what it holds (its forms, fields, organisation units …) through the metadata function of its adaptor, and "
    "keeps the answer in the repo folder.",
    examples=("metadata -a dhis2 -s state.json",),
)
