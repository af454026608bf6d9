"""The adaptors monorepo (cli.md §4.3)."""

from __future__ import annotations

from pathlib import Path

import pytest

from kivuko.adaptors import Specifier, monorepo_folders, monorepo_specifier
from kivuko.errors import AdaptorMissing, InputError

from .conftest import NAME, toy, write


def monorepo(folder: Path, *packages: str) -> Path:
    """A folder that looks like a checkout of the adaptors repository."""
    write(folder, {"package.json": '{"name": "adaptors"}'})
    for package in packages:
        write(folder / "packages" / package, toy(name=f"@openfn/language-{package}"))
    return folder


def test_an_adaptor_is_found_by_its_short_name(tmp_path: Path) -> None:
    folder = monorepo(tmp_path / "m", "toy")
    [found] = monorepo_folders({"OPENFN_ADAPTORS_REPO": str(folder)})
    assert monorepo_specifier(Specifier(NAME, "1.0.0"), (found,)) == Specifier(NAME, None, str(folder / "packages/toy"))


def test_the_first_of_several_monorepos_that_has_it_counts(tmp_path: Path) -> None:
    one, two = monorepo(tmp_path / "one", "a"), monorepo(tmp_path / "two", "a", "toy")
    folders = monorepo_folders({"OPENFN_ADAPTORS_REPO": f"{one}, {two},"})
    assert monorepo_specifier(Specifier("@openfn/language-a"), folders).path == str(one / "packages/a")
    assert monorepo_specifier(Specifier(NAME), folders).path == str(two / "packages/toy")


def test_a_path_that_was_given_stays(tmp_path: Path) -> None:
    given = Specifier(NAME, None, "./mine")
    assert monorepo_specifier(given, (monorepo(tmp_path, "toy"),)) == given


def test_an_adaptor_that_is_not_in_it(tmp_path: Path) -> None:
    with pytest.raises(AdaptorMissing, match=str(tmp_path / "packages/toy")):
        monorepo_specifier(Specifier(NAME), (monorepo(tmp_path),))


@pytest.mark.parametrize("environment", [{}, {"OPENFN_ADAPTORS_REPO": ""}, {"OPENFN_ADAPTORS_REPO": " , "}])
def test_an_unset_variable_is_said_in_openfns_words(environment: dict[str, str]) -> None:
    with pytest.raises(InputError, match="OPENFN_ADAPTORS_REPO env var is undefined"):
        monorepo_folders(environment)


def test_a_folder_that_is_no_monorepo(tmp_path: Path) -> None:
    write(tmp_path, {"package.json": '{"name": "other"}'})
    with pytest.raises(InputError, match=f"Adaptors Monorepo not found at {tmp_path}"):
        monorepo_folders({"OPENFN_ADAPTORS_REPO": str(tmp_path)})
