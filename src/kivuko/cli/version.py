"""``kivuko version``: the versions of the parts."""

from __future__ import annotations

from kivuko.cli.call import Call
from kivuko.cli.commands import Command
from kivuko.cli.log import Log
from kivuko.cli.shared import JSON
from kivuko.cli.versions import log_versions, part_versions

__all__ = ["COMMAND", "version"]


def version(call: Call) -> int:
    """Print the block whatever ``-l`` says, as OpenFn's CLI does."""
    versions = part_versions(engine=True)
    if call.wants_json:
        call.result({"versions": versions})
    else:
        log_versions(Log(as_json=call.log.as_json), versions)
    return 0


COMMAND = Command(
    name="version", run=version, options=(JSON,), about="Shows the versions of Node.js, the command line, runtime and compiler."
)
