"""The adaptors monorepo (``-m``): OpenFn's source tree of adaptors, built, taken from disk (cli.md §4.3)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from kivuko.adaptors.layout import read_json
from kivuko.adaptors.specifier import Specifier, short_name
from kivuko.errors import AdaptorMissing, InputError

__all__ = ["MONOREPO_VARIABLE", "monorepo_folders", "monorepo_specifier"]

MONOREPO_VARIABLE = "OPENFN_ADAPTORS_REPO"


def monorepo_folders(environment: Mapping[str, str] = os.environ) -> tuple[Path, ...]:
    """The folders that the variable names, a comma list. Raises InputError when it is unset or one of them is no monorepo."""
    text = environment.get(MONOREPO_VARIABLE, "")
    named = [part.strip() for part in text.split(",") if part.strip()]
    if not named:
        raise InputError(f"{MONOREPO_VARIABLE} env var is undefined", fix="Set it to the folder of a checkout of the adaptors repository.")
    folders = tuple(Path(part).expanduser().absolute() for part in named)
    for folder in folders:
        if read_json(folder / "package.json").get("name") != "adaptors":
            raise InputError(
                f"Adaptors Monorepo not found at {folder}",
                fix=f"Correct {MONOREPO_VARIABLE}: that folder's package.json must have the name adaptors.",
            )
    return folders


def monorepo_specifier(specifier: Specifier, folders: tuple[Path, ...]) -> Specifier:
    """The same adaptor as a folder ``packages/<short name>`` of the first monorepo that has it; a path that was given stays.

    The version is dropped. Raises AdaptorMissing.
    """
    if specifier.path:
        return specifier
    inside = Path("packages") / short_name(specifier.name)
    for folder in folders:
        if (folder / inside / "package.json").is_file():
            return Specifier(specifier.name, None, str(folder / inside))
    places = ", ".join(str(folder / inside) for folder in folders)
    message = f"The adaptors monorepo has no {specifier.name}: nothing at {places}."
    raise AdaptorMissing(message, fix="Check the name, or update the checkout.")
