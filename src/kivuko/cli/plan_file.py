"""Workflow files and jobs on disk, as ``kivuko.projects`` reads them."""

from kivuko.projects import job_plan, load_plan, source_of

__all__ = ["job_plan", "load_plan", "source_of"]
