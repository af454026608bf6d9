"""The data folder: made private, held by one process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kivuko.errors import DataFolderRefused
from kivuko.server import datafolder
from kivuko.server.datafolder import DataFolder, default_data_folder


def test_a_missing_folder_is_made_for_its_owner_only(tmp_path: Path) -> None:
    folder = DataFolder.open(tmp_path / "a" / "b")
    assert folder.path.stat().st_mode & 0o777 == 0o700
    assert all(part.stat().st_mode & 0o777 == 0o700 for part in (folder.objects, folder.incoming, folder.secrets))


def test_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("")
    with pytest.raises(DataFolderRefused, match="not a folder"):
        DataFolder.open(tmp_path / "f")
    with pytest.raises(DataFolderRefused):
        DataFolder.open(tmp_path / "f" / "below")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_to_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(DataFolderRefused, match="cannot be written to"):
        DataFolder.open(tmp_path)


def test_a_second_holder_is_refused_with_the_way_to_postgresql(tmp_path: Path) -> None:
    folder = DataFolder.open(tmp_path)
    with folder.alone(), pytest.raises(DataFolderRefused, match=f"pid {os.getpid()}") as refused, folder.alone():
        pass
    assert "kivuko migrate --to postgresql://" in refused.value.fix
    with folder.alone():
        pass


def test_a_holder_that_was_killed_holds_nothing(tmp_path: Path) -> None:
    code = (
        "import sys, time, pathlib; from kivuko.server.datafolder import DataFolder\n"
        "with DataFolder.open(pathlib.Path(sys.argv[1])).alone():\n    print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout
    assert holder.stdout.readline() == "held\n"
    folder = DataFolder.open(tmp_path)
    with pytest.raises(DataFolderRefused, match=str(holder.pid)), folder.alone():
        pass
    holder.kill()
    holder.communicate()
    with folder.alone():
        pass


def test_a_network_file_system_is_refused_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datafolder, "filesystem_of", lambda path: "nfs4")
    folder = DataFolder.open(tmp_path)
    with pytest.raises(DataFolderRefused, match="network file system") as refused, folder.alone():
        pass
    assert "PostgreSQL" in refused.value.fix
    assert list(tmp_path.iterdir()) == []


def test_the_default_is_the_variable_else_the_systems_place(tmp_path: Path) -> None:
    assert default_data_folder({"KIVUKO_DATA": str(tmp_path)}) == tmp_path
    assert default_data_folder({}).name == "kivuko"
