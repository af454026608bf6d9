"""Brings adaptors into the repo: asks the registry, installs, makes bundles. Imported only when something is missing (start-up cost)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kivuko.adaptors.installer import add_package, remove_package
from kivuko.adaptors.layout import Layout
from kivuko.adaptors.lock import locked
from kivuko.adaptors.notice import Notice, Progress
from kivuko.adaptors.npm import Npm, PackageManager
from kivuko.adaptors.record import Record, load_record, save_record
from kivuko.adaptors.settings import RepoSettings
from kivuko.adaptors.toolchain import NodeProgram
from kivuko.adaptors.workshop import Workshop
from kivuko.errors import InstallFailed
from kivuko.value import value

__all__ = ["Provisioner"]


@value
class Provisioner:
    """A repo and the programs that fill it; ``npm`` None is the npm of that Node."""

    layout: Layout
    node: Path
    settings: RepoSettings
    npm: PackageManager | None = None

    def look_up(self, name: str, wanted: str) -> str:
        """The exact version that a tag or range stands for now. Raises AdaptorNotFound, RegistryUnreachable, InstallFailed."""
        return self._npm.view(name, wanted)

    def make_ready(self, name: str, version: str, *, install: bool, progress: Progress) -> Record:
        """Installs one version, if ``install`` and it is missing, and makes it ready for hosts. Raises AdaptorProblem."""
        with self._locked(progress):
            record = load_record(self.layout, name, version, self.node)
            if record and not record.can_retry:  # another process did it while we waited
                return record
            if install:
                add_package(self.layout, self._npm, name, version, self.settings.overrides)
            progress(Notice("bundling", f"Preparing {name}@{version}", "debug", name, version))
            record = Workshop(self.layout, NodeProgram(self.node), self._npm).prepare(name, version)
            save_record(self.layout, record)
            return record

    def remove(self, name: str, version: str, *, progress: Progress) -> None:
        """Takes one version out of the repo. Raises InstallFailed."""
        with self._locked(progress):
            remove_package(self.layout, name, version)

    @property
    def _npm(self) -> PackageManager:
        return self.npm or Npm.beside(self.node)

    @contextmanager
    def _locked(self, progress: Progress) -> Iterator[None]:
        waiting = Notice("waiting", "Waiting for another process that changes the repo folder")
        try:
            with locked(self.layout.lock, on_wait=lambda: progress(waiting)):
                yield
        except OSError as error:
            message = f"The repo folder {self.layout.folder} cannot be changed: {error.strerror or error}."
            raise InstallFailed(message, fix="Check its rights, and that the disk has room.") from error
