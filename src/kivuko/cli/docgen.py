"""``kivuko docgen``: the documentation file of an adaptor, ``<repo>/docs/<name>@<version>.json`` (cli.md §3.6)."""

from __future__ import annotations

from kivuko.adaptors import Layout, parse_specifier
from kivuko.cli.call import Call
from kivuko.cli.commands import Command
from kivuko.cli.docs import documentation
from kivuko.cli.repo_folder import repo_folder
from kivuko.cli.shared import EXPAND, JSON, REPO_DIR
from kivuko.errors import OptionInvalid

__all__ = ["COMMAND", "docgen"]


def docgen(call: Call) -> int:
    """Make the file unless it is there, and print where it is. Raises OptionInvalid without a version, AdaptorProblem."""
    text = call.arguments.words[0]
    specifier = parse_specifier(text, expand=call.arguments.flag("expand-adaptors", True))
    if specifier.version is None:
        raise OptionInvalid("specifier", "No version number detected", fix=f"Name one: {call.program} docgen {text}@1.2.3")
    document = documentation(call, text)
    file = Layout(repo_folder(call).absolute()).docs / f"{document['name']}@{document['version']}.json"
    call.log.success(f"Documentation written to {file}")
    call.result(document)
    return 0


COMMAND = Command(name="docgen", run=docgen, options=(REPO_DIR, EXPAND, JSON), needs=1, takes=1)
