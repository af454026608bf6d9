"""The value types that everything speaks: workflows, jobs, triggers, edges and execution plans. Standard library only."""

from kivuko.workflow.edge import FAILURE_WORDS, SUCCESS_WORDS, Edge
from kivuko.workflow.execution import ExecutionOptions, ExecutionPlan
from kivuko.workflow.job import Job, ModuleLink
from kivuko.workflow.keys import check_keys
from kivuko.workflow.plan import read_plan, write_plan
from kivuko.workflow.trigger import Trigger
from kivuko.workflow.validation import UNREADABLE_CONDITION, edge_failure, validate
from kivuko.workflow.workflow import Node, Workflow

__all__ = [
    "FAILURE_WORDS",
    "SUCCESS_WORDS",
    "UNREADABLE_CONDITION",
    "Edge",
    "ExecutionOptions",
    "ExecutionPlan",
    "Job",
    "ModuleLink",
    "Node",
    "Trigger",
    "Workflow",
    "check_keys",
    "edge_failure",
    "read_plan",
    "validate",
    "write_plan",
]
