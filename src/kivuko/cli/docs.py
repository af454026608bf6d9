"""``kivuko docs``: the operations of an adaptor, from the installed package, offline (cli.md §3.5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from kivuko.adaptors import parse_specifier
from kivuko.adaptors.docs import read_docs
from kivuko.adaptors.layout import read_json
from kivuko.adaptors.semver import is_exact
from kivuko.cli.adaptors_in_use import AdaptorsInUse
from kivuko.cli.arguments import near_names
from kivuko.cli.call import Call
from kivuko.cli.commands import Command
from kivuko.cli.own_engine import open_engine
from kivuko.cli.progress import Progress
from kivuko.cli.shared import EXPAND, JSON, REPO_DIR
from kivuko.errors import AdaptorProblem, InputError

__all__ = ["COMMAND", "docs", "documentation"]

Document = Mapping[str, object]


def docs(call: Call) -> int:
    """Print the list of operations, or the page of one."""
    document = documentation(call, call.arguments.words[0])
    name, version = str(document["name"]), str(document["version"])
    functions = _functions(document)
    if len(call.arguments.words) < 2:
        call.result(document)
        call.log.always(f"Available functions:\n\n## {name} {version}\n\n" + "\n".join(_line(one) for one in functions) + "\n")
        call.log.always(f"For more on one of them:\n  {call.program} docs {name} <fn>")
        return 0
    wanted = call.arguments.words[1]
    found = next((one for one in functions if one["name"] == wanted), None)
    if found is None:
        near = near_names(wanted, [str(one["name"]) for one in functions])
        raise InputError(
            f"Failed to find {wanted} in {name}",
            fix=f"Did you mean {' or '.join(near)}?" if near else f"List its functions: {call.program} docs {name}",
        )
    call.result(found)
    call.log.success(f"Documentation for {name}.{wanted} v{version}:\n\n{_page(name, found)}")
    return 0


def documentation(call: Call, text: str) -> Document:
    """The document of an adaptor that ``text`` names: a kept one, else made from the package, which is installed when it is missing.

    Raises AdaptorProblem.
    """
    specifier = parse_specifier(text, expand=call.arguments.flag("expand-adaptors", True))
    with open_engine(call) as engine, Progress(call) as progress:
        adaptors = AdaptorsInUse.of(call, engine, progress)
        layout = adaptors.repo.layout
        if specifier.version and is_exact(specifier.version) and not specifier.path:
            kept = read_json(layout.docs / f"{specifier.name}@{specifier.version}.json")
            if "functions" in kept:
                return kept
        try:
            return read_docs(layout, adaptors.repo.resolve(specifier, install=True, progress=adaptors.hear))
        except AdaptorProblem:
            progress.show("")
            call.log.error("Not found")
            raise


def _functions(document: Document) -> list[Document]:
    listed = cast("list[Document]", document.get("functions") or [])
    return sorted(listed, key=lambda one: str(one["name"]))


def _parameters(function: Document) -> list[Document]:
    return cast("list[Document]", function.get("parameters") or [])


def _line(function: Document) -> str:
    return f"  {function['name']} ({', '.join(str(one['name']) for one in _parameters(function))})"


def _page(adaptor: str, function: Document) -> str:
    name = str(function["name"])
    examples = cast("list[Document]", function.get("examples") or [])
    shown = [f"{example['caption']}\n\n{example['code']}" if example.get("caption") else str(example["code"]) for example in examples]
    short = adaptor.removeprefix("@openfn/language-")
    parts = [
        f"## {name}({','.join(str(one['name']) for one in _parameters(function))})",
        str(function.get("description") or ""),
        "### Usage Examples",
        "\n\n".join(shown) or "None",
        "### API Reference",
        f"https://docs.openfn.org/adaptors/packages/{short}-docs#{name}",
    ]
    return "\n\n".join(parts)


COMMAND = Command(
    name="docs",
    run=docs,
    options=(REPO_DIR, EXPAND, JSON),
    needs=1,
    takes=2,
    about="Lists the operations of an adaptor, or explains one with examples. It reads the installed package, so it works offline.",
    examples=("docs http", "docs common@3.3.4 each"),
)
