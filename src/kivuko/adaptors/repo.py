"""The repo folder: which adaptors are there, and how one is had that is asked for."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kivuko.adaptors.adaptor import Adaptor
from kivuko.adaptors.answers import Answers
from kivuko.adaptors.installed import installed_versions
from kivuko.adaptors.layout import Layout
from kivuko.adaptors.local import ModuleLoader, local_adaptor
from kivuko.adaptors.notice import Notice, Progress, silent
from kivuko.adaptors.ranges import matches
from kivuko.adaptors.record import Record, load_record
from kivuko.adaptors.semver import is_exact, newest
from kivuko.adaptors.settings import RepoSettings
from kivuko.adaptors.specifier import MOVING_TAGS, Specifier
from kivuko.engines import find_node
from kivuko.errors import AdaptorMissing, InstallFailed, RegistryUnreachable

if TYPE_CHECKING:
    from kivuko.adaptors.npm import PackageManager
    from kivuko.adaptors.provision import Provisioner
from kivuko.value import value

__all__ = ["Installed", "Repo"]


@value
class Installed:
    """One version that ``install`` was asked for; ``already`` when it was there before."""

    name: str
    version: str
    already: bool


class Repo:
    """A repo folder in OpenFn's layout, with Kivuko's own files under ``.kivuko``."""

    def __init__(
        self,
        folder: Path,
        *,
        loader: ModuleLoader,
        node: Path | None = None,
        npm: PackageManager | None = None,
        settings: RepoSettings | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``node`` is the binary that hosts run on (None: that of the engines), ``npm`` is that Node's own when None.

        ``clock`` gives seconds since the epoch. Nothing is read or made yet.
        """
        self.layout = Layout(folder.expanduser().absolute())
        self.settings = settings or RepoSettings()
        self._loader = loader
        self._named_node = node
        self._npm = npm
        self._answers = Answers(self.layout, clock, self.settings.answer_lifetime_s)

    @property
    def folder(self) -> Path:
        """The repo folder."""
        return self.layout.folder

    def installed(self) -> dict[str, tuple[str, ...]]:
        """Name → versions, oldest first, as the repo's package.json lists them. Raises OSError."""
        return installed_versions(self.layout)

    def resolve(self, specifier: Specifier, *, install: bool, refresh: bool = False, progress: Progress = silent) -> Adaptor:
        """The adaptor that a specifier stands for, ready for compiler and host.

        An installed, pinned version costs one small file. With ``install``, what is missing is installed, and moving versions are looked up
        (``refresh``: even if a fresh answer is there). Raises AdaptorProblem.
        """
        if specifier.path:
            return local_adaptor(self.layout, self._loader, specifier, Path(specifier.path), origin="path")
        version = self.version(specifier, look_up=install, refresh=refresh, progress=progress)
        record = self._record(specifier.name, version)
        if record is None:
            record = self._make_ready(specifier.name, version, install=install, progress=progress)
        return record.adaptor(specifier, self.layout.package(specifier.name, version))

    def install(self, specifiers: Sequence[Specifier], *, refresh: bool = True, progress: Progress = silent) -> list[Installed]:
        """Installs what is missing; gives an entry per specifier, in order. Raises AdaptorProblem; what was installed before it stays."""
        done: list[Installed] = []
        for specifier in specifiers:
            version = self.version(specifier, look_up=True, refresh=refresh, progress=progress)
            already = self.layout.has(specifier.name, version) and version in self.installed().get(specifier.name, ())
            if already:
                text = f"Skipping {specifier.name}@{version} as already installed"
                progress(Notice("skipped", text, "always", specifier.name, version))
            if not already or self._record(specifier.name, version) is None:
                self._make_ready(specifier.name, version, install=True, progress=progress)
            done.append(Installed(specifier.name, version, already))
        return done

    def version(self, specifier: Specifier, *, look_up: bool, refresh: bool = False, progress: Progress = silent) -> str:
        """The exact version that a specifier without a path stands for. Raises AdaptorProblem.

        Without ``look_up``, and when the registry does not answer, that is the newest installed one that fits.
        """
        if specifier.version and is_exact(specifier.version):
            return specifier.version
        if not look_up:
            return self._newest_installed(specifier, progress)
        wanted = "latest" if specifier.version in (None, "none") else str(specifier.version)
        version = None if refresh else self._answers.fresh(specifier.name, wanted)
        if version is None:
            try:
                version = self._provisioner().look_up(specifier.name, wanted)
            except RegistryUnreachable as problem:
                return self._offline(specifier, problem, progress)
            self._answers.keep(specifier.name, wanted, version)
        kind = wanted if wanted in MOVING_TAGS else f"newest {wanted}"
        progress(Notice("looked-up", f"Looked up {kind} version of {specifier.name}: found {version}", "info", specifier.name, version))
        return version

    def remove(self, name: str, version: str, *, progress: Progress = silent) -> None:
        """Takes one version out. Raises InstallFailed."""
        self._provisioner().remove(name, version, progress=progress)

    def clean(self) -> None:
        """Deletes the repo folder with everything in it. Raises InstallFailed when anything is left."""
        import shutil  # start-up cost: 2 ms that only this command needs

        try:
            if self.folder.exists():
                shutil.rmtree(self.folder)
        except OSError as error:
            message = f"{self.folder} cannot be removed: {error}."
            raise InstallFailed(message, fix="Check the rights of the folder, or delete it by hand.") from error

    def _newest_installed(self, specifier: Specifier, progress: Progress) -> str:
        version = self._best(specifier)
        if version is None:
            raise _missing(specifier)
        text = f"Using latest installed version of {specifier.name}: {version}"
        progress(Notice("newest-installed", text, "debug", specifier.name, version))
        return version

    def _offline(self, specifier: Specifier, problem: RegistryUnreachable, progress: Progress) -> str:
        version = self._best(specifier)
        if version is None:
            message = f"{specifier} is not installed, and {problem.message[0].lower()}{problem.message[1:]}"
            raise RegistryUnreachable(message, details=problem.details) from problem
        text = f"{problem.message} Using the newest installed version of {specifier.name}: {version}"
        progress(Notice("offline", text, "warn", specifier.name, version))
        return version

    def _best(self, specifier: Specifier) -> str | None:
        wanted = None if specifier.version in MOVING_TAGS else specifier.version
        return newest(version for version in self.installed().get(specifier.name, ()) if matches(version, wanted))

    @property
    def _node(self) -> Path:
        return self._named_node or find_node()

    def _record(self, name: str, version: str) -> Record | None:
        record = load_record(self.layout, name, version, self._node)
        return None if record and record.can_retry and self.layout.acorn.is_file() else record

    def _make_ready(self, name: str, version: str, *, install: bool, progress: Progress) -> Record:
        missing = not self.layout.has(name, version)
        if missing and not install:
            raise _missing(Specifier(name, version))
        if missing:
            progress(Notice("installing", f"Installing {name}@{version}", "info", name, version))
        record = self._provisioner().make_ready(name, version, install=install, progress=progress)
        if missing:
            progress(Notice("installed", f"Installed {name}@{version}", "success", name, version))
        if record.unbundled:
            text = f"{name}@{version} is loaded from its folder, which is slower: {record.unbundled}"
            progress(Notice("unbundled", text, "debug", name, version))
        return record

    def _provisioner(self) -> Provisioner:
        from kivuko.adaptors.provision import Provisioner  # start-up cost: a warm start needs no subprocess, no npm, no bundler

        return Provisioner(self.layout, self._node, self.settings, self._npm)


def _missing(specifier: Specifier) -> AdaptorMissing:
    return AdaptorMissing(f"{specifier} is not installed.", fix=f"Install it: kivuko repo install -a {specifier}")
