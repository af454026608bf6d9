"""Writes the parts of the reference that the code itself knows: the commands with their flags, and the errors with their codes.

    python docs/write_reference.py            write them
    python docs/write_reference.py --check    only say what is out of date; exit code 1 when anything is

Such a part stands in its page between ``<!-- written: NAME -->`` and ``<!-- end -->``. `make docs` calls this, and a test checks.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from kivuko import errors
from kivuko.cli.arguments import Option
from kivuko.cli.commands import COMMANDS, Entry, load
from kivuko.cli.shared import SHARED_OPTIONS
from kivuko.platform.api.openapi import document, operations
from kivuko.platform.api.problems import CODES
from kivuko.server.settings import Setting, every_setting

HERE = Path(__file__).resolve().parent
PART = re.compile(r"(<!-- written: (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)
VALUES = {"flag": "", "text": " TEXT", "number": " NUMBER", "list": " NAME …", "optional": "[=TEXT]"}


def main(words: list[str]) -> int:
    """Write or check every page under this folder."""
    stale = []
    for path in sorted(HERE.rglob("*.md")):
        text = path.read_text("utf-8")
        new = PART.sub(lambda found: f"{found[1]}\n{PARTS[found[2]]()}\n\n{found[3]}", text)
        if new != text:
            stale.append(path)
            if "--check" not in words:
                path.write_text(new, "utf-8")
    for path in stale:
        print(f"{path.relative_to(HERE.parent)}: {'out of date, run make docs' if '--check' in words else 'written'}")
    return int(bool(stale) and "--check" in words)


def commands() -> str:
    """A section for each command."""
    return "\n\n".join("\n".join(_command(entry)) for entry in COMMANDS if entry.words not in (("help",), ("repo",)))


def shared() -> str:
    """The flags that every command has."""
    return "\n".join(_flags(SHARED_OPTIONS))


def error_tree() -> str:
    """A table row for each error, in the order of the tree."""
    rows = [f"| `{kind.code}` | {kind.__name__} | {_sentence(kind)} | {_fix(kind)} |" for kind in _drawn()]
    return "\n".join(["| code | class | what happened | what to do |", "|---|---|---|---|", *rows])


def api_routes() -> str:
    """The routes of the REST API by noun: what each does, takes and answers."""
    nouns: dict[str, list[str]] = {}
    for path, method, operation in operations(document()):
        nouns.setdefault(operation["tags"][0], []).extend(_route(path, method, operation))
    return "\n\n".join("\n".join([f"### {noun.capitalize()}", "", *lines]) for noun, lines in nouns.items())


def api_problems() -> str:
    """A table row for each code that an answer may have."""
    first: dict[tuple[int, str], type[errors.KivukoError]] = {}
    for kind, status, code in CODES:
        first.setdefault((status, code), kind)
    ordered = sorted(first.items(), key=lambda each: each[0])
    rows = [f"| {status} | `{code}` | {_sentence(kind)} | {_fix(kind)} |" for (status, code), kind in ordered]
    return "\n".join(["| status | code | what happened | what to do |", "|---|---|---|---|", *rows])


def settings() -> str:
    """A table row for each setting of the server."""
    rows = [
        f"| `{each.name}` | {', '.join(f'`{name}`' for name in each.variables)} | {_default(each)} | {_cell(each.about)} |"
        for each in every_setting()
    ]
    return "\n".join(["| in `kivuko.toml` | variable | default | |", "|---|---|---|---|", *rows])


PARTS: Mapping[str, Callable[[], str]] = {
    "commands": commands,
    "shared": shared,
    "errors": error_tree,
    "api_routes": api_routes,
    "api_problems": api_problems,
    "settings": settings,
}


def _route(path: str, method: str, operation: Mapping[str, Any]) -> Iterator[str]:
    yield f"- **`{method.upper()} {path}`** {operation['summary']}. {' '.join(operation['description'].split())}"
    filters = [f"`{each['name']}`" for each in operation["parameters"] if each["in"] == "query"]
    if filters:
        yield f"  - query: {', '.join(filters)}"
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    if "$ref" in body:
        keys = document()["components"]["schemas"][body["$ref"].rsplit("/", 1)[1]]["properties"]
        yield f"  - body: {', '.join(f'`{key}`' for key in keys)}"
    answers = [status for status in operation["responses"] if status.isdigit()]
    yield f"  - answers {', '.join(answers)}"


def _command(entry: Entry) -> Iterator[str]:
    command = load(entry)
    yield f"### {' '.join(entry.words)}"
    yield f"\n`kivuko {entry.usage}`\n"
    yield _cell(command.about or entry.summary + ".").replace("\\|", "|")
    if command.options:
        yield ""
        yield from _flags(command.options)
    if command.examples:
        yield "\nFor example: " + ", ".join(f"`kivuko {example}`" for example in command.examples) + "."


def _default(setting: Setting) -> str:
    """What holds when nobody says otherwise; empty texts and lists have a blank."""
    if isinstance(setting.default, bool):
        return "yes" if setting.default else "no"
    return f"`{setting.default}`" if setting.default not in ("", ()) else ""


def _flags(options: tuple[Option, ...]) -> Iterator[str]:
    yield "| flag | |"
    yield "|---|---|"
    for option in options:
        if not option.help:
            continue  # refused, whatever it is given: the page says why
        short = [f"-{name}" for name in option.names if len(name) == 1]
        long = [f"--{name}" for name in option.names if len(name) > 1]
        shown = ", ".join(f"`{name}{VALUES[option.kind]}`" for name in short + long)
        yield f"| {_cell(shown)} | {_cell(option.help)}{' (not in the help)' if option.hidden else ''} |"


def _drawn() -> Iterator[type[errors.KivukoError]]:
    """The errors below the root, in the order of the drawing of their tree."""
    for name in re.findall(r"[├└]── (\w+)", errors.__doc__ or ""):
        yield getattr(errors, name)


def _sentence(kind: type[errors.KivukoError]) -> str:
    return _cell((kind.__doc__ or "").split("\n", 1)[0])


def _fix(kind: type[errors.KivukoError]) -> str:
    return _cell(kind.fix or "The message says it.") + (" The same call may work later." if kind.may_be_retried else "")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
