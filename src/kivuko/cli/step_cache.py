"""The step cache: what each step of a workflow gave, kept beside the workflow so that a later run can start in the middle (cli.md §5.6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import count
from pathlib import Path

from kivuko.adaptors.layout import write_atomically
from kivuko.errors import InputError
from kivuko.value import fresh, value

__all__ = ["StepCache"]


@value
class StepCache:
    """The folder ``<folder of the workflow>/.cli-cache/<workflow>``. ``names`` are the files of the steps that are known."""

    folder: Path
    names: Mapping[str, str] = fresh(factory=dict)

    @classmethod
    def beside(cls, folder: Path, workflow: str, steps: Iterable[str] = ()) -> StepCache:
        """The cache of the workflow named ``workflow``, with these ids of steps, whose file lies in ``folder``."""
        return cls(folder / ".cli-cache" / _file_name(workflow), _distinct(steps))

    def file(self, step: str) -> Path:
        """Where the output of ``step`` is kept."""
        return self.folder / f"{self.names.get(step) or _file_name(step)}.json"

    def read(self, step: str) -> bytes | None:
        """The kept output of ``step``, None when there is none."""
        try:
            return self.file(step).read_bytes()
        except OSError:
            return None

    def clear(self, steps: Iterable[str] | None = None) -> None:
        """Remove what is kept, of all steps or of ``steps``, and make the folder with a .gitignore. Raises InputError if that fails."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for kept in self.folder.glob("*.json") if steps is None else map(self.file, steps):
                kept.unlink(missing_ok=True)
            (self.folder.parent / ".gitignore").write_text("*\n", "utf-8")
        except OSError as problem:
            raise InputError(
                f"The step cache cannot be written: {self.folder}", details=str(problem), fix="Run without --cache-steps."
            ) from problem

    def write(self, step: str, state: bytes) -> None:
        """Keep the output of ``step``, or nothing of it. Raises OSError."""
        write_atomically(self.file(step), state)


def _distinct(steps: Iterable[str]) -> dict[str, str]:
    """A file name for each step. Those that are good names stay as they are; of others that fall together the later get a number."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for step in sorted(dict.fromkeys(steps), key=lambda step: _file_name(step) != step):
        plain = _file_name(step)
        names[step] = _numbered(plain, taken) if plain in taken else plain
        taken.add(names[step])
    return names


def _numbered(plain: str, taken: set[str]) -> str:
    return next(name for number in count(2) if (name := f"{plain}~{number}") not in taken)


def _file_name(name: str) -> str:
    """A name as a file name: spaces become dashes, and no part of it leads to another folder."""
    return name.replace(" ", "-").replace("/", "-").replace("\\", "-").replace("\0", "").lstrip(".") or "step"
