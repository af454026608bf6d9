"""Adaptors in folders of their own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kivuko.adaptors import Repo, Specifier, parse_specifier
from kivuko.adaptors.local import state_of_files
from kivuko.errors import AdaptorBroken, AdaptorMissing, EngineError, HostFailed

from .conftest import NAME, CountingLoader, Registry, toy, write


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "toy", toy("9.9.9"))


def edit(file: Path, text: str) -> None:
    """Writes a file so that its time of change differs, however coarse the clock of the disk."""
    before = file.stat().st_mtime_ns if file.exists() else 0
    file.write_text(text)
    os.utime(file, ns=(before + 10_000_000_000,) * 2)


def test_a_folder_is_used_where_it_lies(repo: Repo, folder: Path, registry: Registry) -> None:
    adaptor = repo.resolve(parse_specifier(f"toy={folder}"), install=True)
    assert (adaptor.name, adaptor.version, adaptor.folder, adaptor.origin) == (NAME, "9.9.9", folder, "path")
    assert (adaptor.files.form, adaptor.files.file) == ("folder", str(folder / "index.js"))
    assert not registry.installs
    assert not registry.asked


def test_a_bare_path_is_named_by_its_package(repo: Repo, folder: Path) -> None:
    assert repo.resolve(parse_specifier(str(folder)), install=False).files.specifier == NAME


def test_names_are_read_once_and_again_after_an_edit(repo: Repo, folder: Path, loader: CountingLoader) -> None:
    specifier = Specifier(NAME, None, str(folder))
    first, second = (repo.resolve(specifier, install=False) for _ in range(2))
    assert len(loader.keys) == 1
    assert first == second
    edit(folder / "index.js", "export const changed = 1")
    loader.names = ("changed",)
    third = repo.resolve(specifier, install=False)
    assert third.exports == ("changed",)
    assert third.files.key != first.files.key


def test_a_new_file_counts_as_an_edit_and_a_package_that_is_installed_there_does_not(folder: Path) -> None:
    before = state_of_files(folder)
    write(folder, {"node_modules/dep/index.js": "", ".git/HEAD": ""})
    assert state_of_files(folder) == before
    write(folder, {"more.js": ""})
    assert state_of_files(folder) != before


def test_an_edit_with_an_older_time_counts(folder: Path) -> None:
    before = state_of_files(folder)
    (folder / "index.js").write_text("export const older = 1")
    os.utime(folder / "index.js", ns=(1_000_000_000,) * 2)
    assert state_of_files(folder) != before


def test_a_file_that_takes_the_place_of_another_counts(folder: Path) -> None:
    write(folder, {"one.js": "x"})
    os.utime(folder / "one.js", ns=(1_000_000_000,) * 2)
    before = state_of_files(folder)
    (folder / "one.js").rename(folder / "two.js")
    assert state_of_files(folder) != before


def test_files_count_by_what_they_are_and_not_by_when_they_are_met(folder: Path) -> None:
    times = {"deep/a.js": 2, "deep/b.js": 1}
    write(folder, dict.fromkeys(times, "x"))
    for name, second in times.items():
        os.utime(folder / name, (second, second))
    before = state_of_files(folder)
    assert state_of_files(folder) == before
    for name, second in times.items():
        os.utime(folder / name, (3 - second, 3 - second))
    assert state_of_files(folder) != before


def test_the_folder_and_the_modules_above_it_can_be_read(repo: Repo, folder: Path, tmp_path: Path) -> None:
    write(tmp_path, {"node_modules/dep/package.json": "{}", "toy/node_modules/own/package.json": "{}"})
    readable = repo.resolve(Specifier(NAME, None, str(folder)), install=False).files.readable
    assert {str(folder), str(folder / "node_modules"), str(tmp_path / "node_modules")} <= set(readable)


def test_links_among_its_packages_can_be_followed(repo: Repo, folder: Path, tmp_path: Path) -> None:
    write(tmp_path / "store/node_modules/dep", {"package.json": "{}"})
    (folder / "node_modules").mkdir()
    (folder / "node_modules/dep").symlink_to(tmp_path / "store/node_modules/dep")
    readable = repo.resolve(Specifier(NAME, None, str(folder)), install=False).files.readable
    assert str(tmp_path / "store/node_modules") in readable


@pytest.mark.parametrize(
    ("package", "entry"),
    [
        ({"exports": "./a.js"}, "a.js"),
        ({"exports": {".": "./b.js"}}, "b.js"),
        ({"exports": {".": {"import": "./c.js", "require": "./x.cjs"}}, "main": "x.cjs"}, "c.js"),
        ({"exports": {".": {"import": {"types": "./t.d.ts", "default": "./d.js"}}}}, "d.js"),
        ({"exports": None, "main": "lib/e.js"}, "lib/e.js"),
        ({"exports": None}, "index.js"),
    ],
)
def test_the_entry_is_found_as_the_linker_finds_it(repo: Repo, tmp_path: Path, package: dict[str, object], entry: str) -> None:
    folder = write(tmp_path / "x", {**toy(package=package), entry: "export const a = 1"})
    assert repo.resolve(Specifier(NAME, None, str(folder)), install=False).files.file == str(folder / entry)


def test_a_folder_that_does_not_exist(repo: Repo, tmp_path: Path) -> None:
    with pytest.raises(AdaptorMissing, match="the folder does not exist"):
        repo.resolve(Specifier(NAME, None, str(tmp_path / "gone")), install=True)


def test_a_folder_without_package_json(repo: Repo, tmp_path: Path) -> None:
    with pytest.raises(AdaptorMissing, match=r"there is no package\.json in it"):
        repo.resolve(Specifier(NAME, None, str(tmp_path)), install=True)


def test_a_package_json_that_is_broken(repo: Repo, folder: Path) -> None:
    (folder / "package.json").write_text("{")
    with pytest.raises(AdaptorBroken, match="not a JSON object"):
        repo.resolve(Specifier(NAME, None, str(folder)), install=True)


def test_an_adaptor_that_was_not_built(repo: Repo, folder: Path) -> None:
    (folder / "index.js").unlink()
    with pytest.raises(AdaptorBroken, match=r"index\.js") as caught:
        repo.resolve(Specifier(NAME, None, str(folder)), install=True)
    assert "Build" in caught.value.fix


@pytest.mark.parametrize("problem", [HostFailed("boom"), AdaptorBroken("boom")])
def test_an_adaptor_that_does_not_load(repo: Repo, folder: Path, loader: CountingLoader, problem: EngineError | AdaptorBroken) -> None:
    loader.problem = problem
    with pytest.raises(AdaptorBroken, match=rf"The adaptor at {folder} does not load: boom"):
        repo.resolve(Specifier(NAME, None, str(folder)), install=True)


def test_a_repo_that_cannot_be_written_only_costs_a_load(
    repo: Repo, folder: Path, loader: CountingLoader, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("kivuko.adaptors.local.write_json", refuse)
    for _ in range(2):
        repo.resolve(Specifier(NAME, None, str(folder)), install=False)
    assert len(loader.keys) == 2
