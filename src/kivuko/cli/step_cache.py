"""The step cache: what each step of a workflow gave, kept beside the workflow so that a later run can start in the middle (cli.md §5.6)."""

from __future__ import annotations

from pathlib import Path

from kivuko.errors import InputError
from kivuko.value import value

__all__ = ["StepCache"]


@value
class StepCache:
    """The folder ``<folder of the workflow>/.cli-cache/<workflow>``."""

    folder: Path

    @classmethod
    def beside(cls, folder: Path, workflow: str) -> StepCache:
        """The cache of the workflow named ``workflow`` whose file lies in ``folder``."""
        return cls(folder / ".cli-cache" / _file_name(workflow))

    def file(self, step: str) -> Path:
        """Where the output of ``step`` is kept."""
        return self.folder / f"{_file_name(step)}.json"

    def read(self, step: str) -> bytes | None:
        """The kept output of ``step``, None when there is none."""
        try:
            return self.file(step).read_bytes()
        except OSError:
            return None

    def clear(self) -> None:
        """Remove what is kept, and make the folder with a .gitignore. Raises InputError when that is impossible."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for kept in self.folder.glob("*.json"):
                kept.unlink()
            (self.folder.parent / ".gitignore").write_text("*\n", "utf-8")
        except OSError as problem:
            raise InputError(
                f"The step cache cannot be written: {self.folder}", details=str(problem), fix="Run without --cache-steps."
            ) from problem

    def write(self, step: str, state: bytes) -> None:
        """Keep the output of ``step``."""
        self.file(step).write_bytes(state)


def _file_name(name: str) -> str:
    """A name as a file name: spaces become dashes, and no part of it leads to another folder."""
    return name.replace(" ", "-").replace("/", "-").replace("\\", "-").replace("\0", "").lstrip(".") or "step"
