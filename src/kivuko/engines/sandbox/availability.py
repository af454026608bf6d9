"""Which layers of the sandbox this machine has."""

from __future__ import annotations

import functools

from kivuko.engines.sandbox import landlock, seccomp
from kivuko.engines.sandbox.confinement import Layer
from kivuko.engines.sandbox.libc import LINUX, machine

__all__ = ["available_layers"]


@functools.cache
def available_layers() -> frozenset[Layer]:
    """The layers that the kernel, the processor and the container permit; found by asking the kernel, once per process."""
    layers = {Layer.LIMITS}
    if LINUX and machine() is not None:
        layers |= {Layer.PRIVILEGES, Layer.PARENT_DEATH}
        if landlock.abi() > 0:
            layers.add(Layer.LANDLOCK)
        if seccomp.knows_filters():
            layers.add(Layer.SECCOMP)
        if seccomp.knows_filters() and seccomp.knows_listeners():
            layers.add(Layer.CONNECT_WATCH)
    return frozenset(layers)
