"""What one process may do: the order that a caller gives to the sandbox."""

from __future__ import annotations

import enum

from kivuko.value import value

__all__ = ["ALL_LAYERS", "SYSTEM_EXECUTABLE", "SYSTEM_READABLE", "Confinement", "Layer"]


class Layer(enum.Enum):
    """One mechanism of the sandbox (engine.md §11.1). Each is applied where the platform has it."""

    LANDLOCK = "landlock"
    SECCOMP = "seccomp"
    LIMITS = "limits"
    PRIVILEGES = "privileges"
    PARENT_DEATH = "parent_death"
    CONNECT_WATCH = "connect_watch"


ALL_LAYERS = frozenset(Layer)

SYSTEM_EXECUTABLE = ("/lib", "/lib64", "/usr/lib", "/usr/lib64")
"""What the dynamic loader needs; always granted."""

SYSTEM_READABLE = (
    "/etc/ld.so.cache",
    "/etc/ssl",
    "/etc/pki/tls",
    "/etc/pki/ca-trust/extracted",
    "/etc/crypto-policies",
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/nsswitch.conf",
    "/etc/host.conf",
    "/etc/gai.conf",
    "/etc/localtime",
    "/usr/share/zoneinfo",
    "/dev/null",
    "/dev/random",
    "/dev/urandom",
    "/proc/meminfo",
    "/proc/cpuinfo",
    "/proc/stat",
    "/proc/version_signature",
    "/sys/devices/system/cpu",
    "/usr/share/nodejs",
)
"""Name resolution, certificates, time zones, sizes of the machine; always granted, as far as they exist. /proc/self comes on top."""


@value
class Confinement:
    """What one process may do. Nothing may be written anywhere; everything not listed here or in the system lists is refused.

    ``readable`` and ``executable`` are absolute paths of files or folders; executable ones may be read too; the program is added.
    ``data_mb`` and ``address_space_mb`` (megabytes of 2**20 bytes, None = no bound) bound private memory and the whole address space. Node
    needs 561 MB of the first before a job allocates anything (engine.md §10). The second is for other programs: V8 reserves many
    gigabytes for each WebAssembly memory without using them, and under a bound it ends the process where it would throw a RangeError.
    ``unix_sockets`` permits AF_UNIX. ``watch_connect`` hands every connect, sendmsg, sendmmsg, and sendto with an address, to a listener
    (``Child.listener``) that must answer them: level 2 of engine.md §12. ``user`` is the (uid, gid) to change to when the caller is root;
    it must be able to read the paths. ``layers`` are the mechanisms to apply; those that the platform lacks are named in ``Child.missing``.
    """

    readable: tuple[str, ...] = ()
    executable: tuple[str, ...] = ()
    data_mb: int | None = None
    address_space_mb: int | None = None
    file_size_mb: int = 64
    open_files: int = 512
    unix_sockets: bool = False
    watch_connect: bool = False
    user: tuple[int, int] | None = None
    layers: frozenset[Layer] = ALL_LAYERS
