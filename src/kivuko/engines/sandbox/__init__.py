"""The sandbox: starts a process that may do only what its Confinement says (engine.md §11).

spawn ── prepare ── fork ── newborn: descriptors, rights, limits, landlock, seccomp ── execve
"""

from __future__ import annotations

from kivuko.engines.sandbox.availability import available_layers
from kivuko.engines.sandbox.child import Child
from kivuko.engines.sandbox.confinement import ALL_LAYERS, Confinement, Layer
from kivuko.engines.sandbox.report import LayerReport, probe
from kivuko.engines.sandbox.starting import spawn

__all__ = ["ALL_LAYERS", "Child", "Confinement", "Layer", "LayerReport", "available_layers", "probe", "spawn"]
