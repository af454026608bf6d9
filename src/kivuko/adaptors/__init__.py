"""Adaptors: find, install, bundle and describe them. Modules are loaded through a host of ``kivuko.engines``.

What a run needs is here. What only single commands need has modules of its own, which cost start-up time: ``kivuko.adaptors.docs``
(documents of operations), ``kivuko.adaptors.metadata`` (kept answers of ``metadata()``), ``kivuko.adaptors.credential_schema``.
"""

from kivuko.adaptors.adaptor import Adaptor
from kivuko.adaptors.installed import installed_versions
from kivuko.adaptors.layout import Layout, default_folder
from kivuko.adaptors.local import ModuleLoader
from kivuko.adaptors.monorepo import MONOREPO_VARIABLE, monorepo_folders, monorepo_specifier
from kivuko.adaptors.notice import Notice, Progress
from kivuko.adaptors.repo import Installed, Repo
from kivuko.adaptors.settings import OVERRIDES_VARIABLE, RepoSettings
from kivuko.adaptors.specifier import Specifier, parse_specifier, short_name

__all__ = [
    "MONOREPO_VARIABLE",
    "OVERRIDES_VARIABLE",
    "Adaptor",
    "Installed",
    "Layout",
    "ModuleLoader",
    "Notice",
    "Progress",
    "Repo",
    "RepoSettings",
    "Specifier",
    "default_folder",
    "installed_versions",
    "monorepo_folders",
    "monorepo_specifier",
    "parse_specifier",
    "short_name",
]
