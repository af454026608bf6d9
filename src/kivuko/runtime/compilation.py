"""Compiled jobs, kept by their content (engine.md §4.6)."""

from __future__ import annotations

from functools import lru_cache

from kivuko.language import AdaptorNames, CompiledJob, compile_job, compile_module, exported_names

__all__ = ["compiled_job", "compiled_module", "names_exported_by"]

_KEPT = 256
"""Compiled texts that a process keeps: the jobs of some dozen workflows."""


@lru_cache(maxsize=_KEPT)
def compiled_job(source: str, adaptors: tuple[AdaptorNames, ...], ignored: frozenset[str]) -> CompiledJob:
    """The host script of a job; the same content is compiled once. Raises CompileError."""
    return compile_job(source, adaptors, ignore=ignored)


@lru_cache(maxsize=_KEPT)
def compiled_module(source: str) -> CompiledJob:
    """The host script of a module as its author wrote it. Raises CompileError."""
    return compile_module(source)


@lru_cache(maxsize=_KEPT)
def names_exported_by(source: str) -> frozenset[str]:
    """What the globals of a workflow export. Raises CompileError."""
    return frozenset(exported_names(source))
