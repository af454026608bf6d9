"""The output file is checked before a run and written whole."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from kivuko.cli.output_file import OutputFile
from kivuko.errors import InputError


def test_folders_are_made_and_the_content_is_written(tmp_path: Path) -> None:
    file = OutputFile("x/y/out.json", tmp_path / "x/y/out.json")
    file.check()
    assert not file.path.exists()
    file.write(b"{}")
    assert file.path.read_bytes() == b"{}"
    assert os.listdir(tmp_path / "x/y") == ["out.json"]


def test_checking_leaves_an_old_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    path.write_text("old")
    OutputFile("out.json", path).check()
    assert path.read_text() == "old"


def test_a_folder_cannot_be_the_output(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Cannot write to here") as problem:
        OutputFile("here", tmp_path).check()
    assert "folder" in problem.value.details
    assert "-o" in problem.value.fix


def test_a_file_in_the_way_of_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("")
    with pytest.raises(InputError, match=r"Cannot write to f/out\.json"):
        OutputFile("f/out.json", tmp_path / "f/out.json").check()


def test_no_content_is_an_empty_file(tmp_path: Path) -> None:
    OutputFile("o", tmp_path / "o").write(b"")
    assert (tmp_path / "o").stat().st_size == 0


def test_permissions_of_an_old_file_are_kept_and_new_ones_follow_the_umask(tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.write_text("x")
    old.chmod(0o600)
    OutputFile("old", old).write(b"y")
    assert old.stat().st_mode & 0o777 == 0o600
    before = os.umask(0o027)
    try:
        OutputFile("new", tmp_path / "new").write(b"y")
    finally:
        os.umask(before)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o640


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    target, link = tmp_path / "real", tmp_path / "link"
    target.write_text("old")
    link.symlink_to(target)
    OutputFile("link", link).write(b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_a_device_is_written_directly() -> None:
    file = OutputFile("/dev/null", Path("/dev/null"))
    file.check()
    file.write(b"gone")
    assert Path("/dev/null").is_char_device()


def test_what_fails_in_the_middle_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "out.json"
    target.write_text("old")

    def fill(write: Callable[[bytes], object]) -> None:
        write(b"new")
        raise InputError("the host is gone")

    with pytest.raises(InputError, match="gone"):
        OutputFile("out.json", target).write_from(fill)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]
