"""``kivuko adaptor new``: a JavaScript adaptor that runs at once, without a build (adaptors.md §1)."""

from __future__ import annotations

import re
import struct
import zlib
from pathlib import Path

from kivuko.cli.arguments import Option
from kivuko.cli.call import Call
from kivuko.cli.commands import Command
from kivuko.errors import InputError, UsageError

__all__ = ["COMMAND", "new"]

_TEMPLATE = Path(__file__).with_name("adaptor_template")
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LOGOS = {"rectangle.png": (512, 190), "square.png": (256, 256)}


def new(call: Call) -> int:
    """Make the folder of a new adaptor from the template. Raises InputError when it is not empty or cannot be written."""
    name = call.arguments.words[0].removeprefix("@openfn/").removeprefix("language-")
    if call.arguments.text("lang") not in (None, "js"):
        raise UsageError(f"Adaptors cannot be written in {call.arguments.text('lang')} yet", fix="Leave --lang out: js is meant.")
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name} cannot be the name of an adaptor", fix="Use small letters, digits and single dashes: my-system.")
    target = call.folder / (call.arguments.text("folder") or name)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise InputError(f"{target} is there already and not empty", fix="Name another folder with --folder.")
    files = _write(target, name)
    shown = target.relative_to(call.folder) if target.is_relative_to(call.folder) else target
    for file in files:
        call.log.info(f"Wrote {shown / file}")
    call.log.success(f"Made the adaptor {name} in {shown}")
    call.log.always(f"Run its sample job: cd {shown} && {call.program} job.js -a {name}=.")
    call.log.always(f"Run its tests: {call.program} adaptor test {shown}")
    call.result({"name": f"@openfn/language-{name}", "folder": str(target), "files": files})
    return 0


def _write(target: Path, name: str) -> list[str]:
    label = " ".join(word.capitalize() for word in name.split("-"))
    written = []
    try:
        for source in sorted(path for path in _TEMPLATE.rglob("*") if path.is_file()):
            relative = source.relative_to(_TEMPLATE)
            text = source.read_text("utf-8").replace("{{name}}", name).replace("{{label}}", label)
            (target / relative).parent.mkdir(parents=True, exist_ok=True)
            (target / relative).write_text(text, "utf-8")
            written.append(str(relative))
        (target / "assets").mkdir(exist_ok=True)
        for file, (width, height) in _LOGOS.items():
            (target / "assets" / file).write_bytes(_plain_png(width, height))
            written.append(f"assets/{file}")
    except OSError as problem:
        raise InputError(
            f"{target} cannot be written", details=problem.strerror or str(problem), fix="Name another folder with --folder."
        ) from problem
    return written


def _plain_png(width: int, height: int) -> bytes:
    """An image of one colour, to be replaced by a logo (PNG specification, third edition)."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = (b"\0" + b"\xff" * ((width + 7) // 8)) * height
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


COMMAND = Command(
    name="adaptor-new",
    run=new,
    options=(
        Option("folder", "Where to make it (a folder of the adaptor's name)", ("f",), "text"),
        Option("lang", "Language of the adaptor: js", (), "text"),
        Option("json", "Print one JSON document on standard output, and log lines on standard error"),
    ),
    needs=1,
    takes=1,
    about="Makes a JavaScript adaptor with two sample operations, types, the form of its credential and tests. It runs without a build.",
    examples=("adaptor new my-system", "adaptor new my-system --folder ../adaptors/my-system"),
)
