"""Projects as files: workflow files and jobs on disk, read into execution plans, and project files of generation v2.

What a Run needs is here. ``kivuko.projects.microservice_file`` reads project files, for the server.
"""

from kivuko.projects.document import parse_json, parse_yaml
from kivuko.projects.plan_file import job_plan, load_plan, source_of

__all__ = ["job_plan", "load_plan", "parse_json", "parse_yaml", "source_of"]
