"""Projects as files. So far: workflow files and jobs on disk, read into execution plans."""

from kivuko.projects.document import parse_json, parse_yaml
from kivuko.projects.plan_file import job_plan, load_plan, source_of

__all__ = ["job_plan", "load_plan", "parse_json", "parse_yaml", "source_of"]
