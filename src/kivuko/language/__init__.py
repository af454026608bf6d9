"""The language of jobs: source text → text that a host executes, or that any OpenFn-compatible runtime reads. Pure, no I/O, no process."""

from typing import TYPE_CHECKING

from kivuko.language.job import CompiledJob, Operation, compile_job, compile_module, exported_names, uses_collections
from kivuko.language.names import AdaptorNames

if TYPE_CHECKING:
    from kivuko.language.portable import PortableModule, compile_portable

__all__ = [
    "AdaptorNames",
    "CompiledJob",
    "Operation",
    "PortableModule",
    "compile_job",
    "compile_module",
    "compile_portable",
    "exported_names",
    "uses_collections",
]


def __getattr__(name: str) -> object:
    if name in ("PortableModule", "compile_portable"):
        from kivuko.language import portable  # only `kivuko compile` prints modules; every run would pay for loading it

        return getattr(portable, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
