"""An adaptor that is ready to be compiled against and loaded."""

from __future__ import annotations

from pathlib import Path

from kivuko.adaptors.specifier import Specifier
from kivuko.engines.run import ModuleFiles
from kivuko.value import value

__all__ = ["Adaptor"]


@value
class Adaptor:
    """One version of an adaptor.

    ``specifier`` is how it was asked for, ``name`` its npm name, ``version`` the exact version (that of its package.json for a local
    folder). ``folder`` holds the package. ``exports`` are the names job code can use, sorted, without ``default``. ``files`` is what a host
    loads. ``origin`` tells where it lies: in the repo, in a folder that was named, or in the adaptors monorepo.
    """

    specifier: Specifier
    name: str
    version: str
    folder: Path
    exports: tuple[str, ...]
    files: ModuleFiles
    origin: str = "repo"
