"""What kind of file system a folder is on: SQLite's locks cannot be trusted over a network."""

from __future__ import annotations

from pathlib import Path

__all__ = ["NETWORK_KINDS", "filesystem_of", "is_network"]

NETWORK_KINDS = frozenset(
    {"9p", "afs", "beegfs", "ceph", "cifs", "davfs", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "ocfs2", "smb3", "smbfs"}
)
_MOUNTS = Path("/proc/self/mountinfo")


def filesystem_of(folder: Path, mounts: str | None = None) -> str | None:
    """The kind of file system (proc(5), mountinfo) that a folder is on, or would be made on; None where the machine does not say."""
    try:
        text = _MOUNTS.read_text("utf-8", "surrogateescape") if mounts is None else mounts
    except OSError:
        return None
    path = folder.absolute().resolve()
    found: tuple[int, str | None] = (-1, None)
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        point = Path(before.split(" ")[4].encode("latin-1", "surrogateescape").decode("unicode_escape"))
        # Of several mounts at one place the last one counts.
        if path.is_relative_to(point) and len(point.parts) >= found[0]:
            found = (len(point.parts), after.split(" ", 1)[0])
    return found[1]


def is_network(kind: str | None) -> bool:
    """Whether files of this kind of file system are on another machine."""
    return kind is not None and (kind.removeprefix("fuse.") in NETWORK_KINDS or kind in ("fuse.sshfs", "fuse.s3fs", "fuse.rclone"))
