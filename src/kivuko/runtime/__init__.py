"""Executes one Attempt: walks the workflow, passes state on as bytes, decides edges, keeps limits, tells events and log lines."""

from kivuko.runtime.attempt import execute
from kivuko.runtime.context import Outside, shared_key
from kivuko.runtime.events import Event, InitCompleted, InitStarted, JobCompleted, JobFailed, JobStarted, Memory, Observer
from kivuko.runtime.faults import compile_message
from kivuko.runtime.hosts import run_limits
from kivuko.runtime.ports import AdaptorResolver, CredentialResolver, LoadedAdaptor, Recorder, RunEngine, Schemas
from kivuko.runtime.program import PreparedJob, Program, prepare
from kivuko.runtime.result import AttemptResult, Reason, RunRecord
from kivuko.runtime.settings import AttemptSettings, Clock, CompileSettings, JobLimits
from kivuko.runtime.visits import EndedVisit, Follow, Visit

__all__ = [
    "AdaptorResolver",
    "AttemptResult",
    "AttemptSettings",
    "Clock",
    "CompileSettings",
    "CredentialResolver",
    "EndedVisit",
    "Event",
    "Follow",
    "InitCompleted",
    "InitStarted",
    "JobCompleted",
    "JobFailed",
    "JobLimits",
    "JobStarted",
    "LoadedAdaptor",
    "Memory",
    "Observer",
    "Outside",
    "PreparedJob",
    "Program",
    "Reason",
    "Recorder",
    "RunEngine",
    "RunRecord",
    "Schemas",
    "Visit",
    "compile_message",
    "execute",
    "prepare",
    "run_limits",
    "shared_key",
]
