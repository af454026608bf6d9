"""The language of jobs: source text → text that a host executes, or that any OpenFn-compatible runtime reads. Pure, no I/O, no process."""

from kivuko.language.job import CompiledJob, Operation, compile_job, compile_module, exported_names, uses_collections
from kivuko.language.names import AdaptorNames

__all__ = [
    "AdaptorNames",
    "CompiledJob",
    "Operation",
    "compile_job",
    "compile_module",
    "exported_names",
    "uses_collections",
]
