"""What the sandbox can do on this machine, tried out: for `kivuko doctor`."""

from __future__ import annotations

import os
import sys

from kivuko.engines.sandbox import landlock
from kivuko.engines.sandbox.availability import available_layers
from kivuko.engines.sandbox.confinement import Confinement, Layer
from kivuko.engines.sandbox.libc import machine
from kivuko.engines.sandbox.starting import spawn
from kivuko.errors import HostFailed
from kivuko.value import value

__all__ = ["LayerReport", "probe"]


@value
class LayerReport:
    """One layer: whether it works here, what was found, and, where it does not, what is lost and what a person can do."""

    layer: Layer
    active: bool
    detail: str
    lost: str = ""
    fix: str = ""

    @property
    def name(self) -> str:
        """The layer's name, as in ``Layer``."""
        return self.layer.value


_LOST = {
    Layer.LANDLOCK: "A job that escapes its JavaScript context could read every file of this user; only --permission is left.",
    Layer.SECCOMP: "A job that escapes could start processes, send signals and open any kind of socket.",
    Layer.LIMITS: "Memory outside the JavaScript heap, file size and open files are not bounded.",
    Layer.PRIVILEGES: "Hosts keep the capabilities of this process.",
    Layer.PARENT_DEATH: "Hosts could live on when Kivuko is killed.",
    Layer.CONNECT_WATCH: "The egress policy is enforced inside the job's process only, where a job that escapes can go around it.",
}

_FIX = {
    Layer.LANDLOCK: "Use Linux 5.13 or newer with landlock enabled (kernel parameter lsm=landlock,…); in a container permit landlock_*.",
    Layer.SECCOMP: "Use a Linux kernel with CONFIG_SECCOMP_FILTER on x86_64 or aarch64; in a container permit the seccomp call.",
    Layer.LIMITS: "Raise the hard limits of this process to at least what Kivuko sets.",
    Layer.PRIVILEGES: "Run Kivuko on Linux, as a user without privileges.",
    Layer.PARENT_DEATH: "Run Kivuko on Linux.",
    Layer.CONNECT_WATCH: (
        "Use Linux 5.6 or newer; in a container permit pidfd_getfd (Docker: a seccomp profile of your own, or --cap-add SYS_PTRACE); "
        "set kernel.yama.ptrace_scope to 0 or 1."
    ),
}


def _trial(layer: Layer) -> str:
    """Start a Python under one layer; what went wrong, or nothing."""
    layers = {layer, Layer.SECCOMP} if layer is Layer.CONNECT_WATCH else {layer}
    places = tuple({sys.prefix, sys.base_prefix, os.path.realpath(sys.executable)})
    terms = Confinement(executable=places, layers=frozenset(layers), watch_connect=layer is Layer.CONNECT_WATCH)
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    try:
        child = spawn([sys.executable, "-I", "-S", "-c", ""], env={}, pass_fds={}, confinement=terms, stderr=null)
    except HostFailed as error:
        return str(error)
    finally:
        os.close(null)
    status = child.wait()
    child.close()
    if child.listener is not None:
        os.close(child.listener)
    return "" if status == 0 else f"A program under this layer ended with status {status}."


def _landlock_detail() -> str:
    version = landlock.abi()
    lacks = [
        text
        for needed, text in (
            (2, "moving files"),
            (3, "truncation"),
            (4, "TCP bind"),
            (5, "device ioctls"),
            (6, "signals and abstract sockets"),
        )
        if version < needed
    ]
    without = f"; without rights for {', '.join(lacks)} (seccomp refuses the dangerous ones)" if lacks else ""
    return f"ABI {version}{without}"


def _detail(layer: Layer) -> str:
    if layer is Layer.LANDLOCK:
        return _landlock_detail()
    if layer in (Layer.SECCOMP, Layer.CONNECT_WATCH):
        return f"filter for {machine()}"
    if layer is Layer.PRIVILEGES and hasattr(os, "getuid") and os.getuid() == 0:
        return "no new privileges, no capabilities; the user stays root unless one is configured"
    return "tried"


def probe() -> tuple[LayerReport, ...]:
    """Try every layer on a short process of its own (about 0.1 s in all). Never raises for a layer that is missing."""
    reports = []
    for layer in Layer:
        problem = _trial(layer) if layer in available_layers() else "This machine does not have it, or a container refuses it."
        if problem:
            reports.append(LayerReport(layer, False, problem, _LOST[layer], _FIX[layer]))
        else:
            reports.append(LayerReport(layer, True, _detail(layer)))
    return tuple(reports)
