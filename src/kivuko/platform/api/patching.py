"""JSON merge patch (RFC 7396): what is absent stays, null empties, objects are merged, everything else is replaced."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["merged"]


def merged(target: object, patch: object) -> object:
    """The target with the patch applied; neither is changed."""
    if not isinstance(patch, Mapping):
        return patch
    result = dict(target) if isinstance(target, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result
