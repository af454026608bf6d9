"""What kind of file system a folder is on."""

from __future__ import annotations

from pathlib import Path

import pytest

from kivuko.server.filesystem import filesystem_of, is_network

MOUNTS = r"""22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
30 22 0:50 / /srv rw,relatime shared:2 - nfs4 server:/export rw,vers=4.2
31 30 254:3 / /srv/local rw,relatime - xfs /dev/vdb rw
32 22 0:51 / /mnt/with\040space rw,relatime - fuse.sshfs me@host: rw
33 22 0:52 / /twice rw - ext4 /dev/vdc rw
34 33 0:53 / /twice rw - cifs //server/share rw
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/home/me", "ext4"),
        ("/srv/kivuko", "nfs4"),
        ("/srv/local/kivuko", "xfs"),
        ("/srvother", "ext4"),
        ("/mnt/with space/data", "fuse.sshfs"),
        ("/twice/data", "cifs"),
    ],
    ids=["root", "below", "nested", "similar-name", "space", "mounted-over"],
)
def test_the_deepest_and_last_mount_counts(folder: str, kind: str) -> None:
    assert filesystem_of(Path(folder), MOUNTS) == kind


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "fuse.glusterfs"])
def test_files_on_another_machine_are_told(kind: str) -> None:
    assert is_network(kind)


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "overlay", "tmpfs", "zfs", "fuse.ntfs", None], ids=str)
def test_files_on_this_machine_are_told(kind: str | None) -> None:
    assert not is_network(kind)


def test_this_machines_own_folder_is_found(tmp_path: Path) -> None:
    found = filesystem_of(tmp_path)
    assert found is None or not is_network(found)
