"""Resource limits of one process (engine.md §10)."""

from __future__ import annotations

import resource

from kivuko.engines.sandbox.confinement import Confinement

__all__ = ["apply_limits", "limits_of"]

_MB = 1 << 20


def limits_of(confinement: Confinement) -> tuple[tuple[int, int], ...]:
    """Pairs of resource and bound."""
    bounds = [
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, confinement.file_size_mb * _MB),
        (resource.RLIMIT_NOFILE, confinement.open_files),
    ]
    if confinement.data_mb is not None:
        bounds.append((resource.RLIMIT_DATA, confinement.data_mb * _MB))
    if confinement.address_space_mb is not None:
        bounds.append((resource.RLIMIT_AS, confinement.address_space_mb * _MB))
    return tuple(bounds)


def apply_limits(bounds: tuple[tuple[int, int], ...]) -> None:
    """Set soft and hard bounds of the calling process; a bound that was lower before stays. Raises OSError, ValueError."""
    for kind, bound in bounds:
        _, hard = resource.getrlimit(kind)
        wanted = bound if hard == resource.RLIM_INFINITY else min(bound, hard)
        resource.setrlimit(kind, (wanted, wanted))
