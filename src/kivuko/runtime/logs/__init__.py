"""The log of an Attempt: its lines, how they read, and the error reports in it."""

from kivuko.runtime.logs.durations import duration_text
from kivuko.runtime.logs.journal import Journal
from kivuko.runtime.logs.record import Component, LogRecord, LogSink
from kivuko.runtime.logs.rendering import SanitizePolicy, rendered, sanitized, text_line
from kivuko.runtime.logs.report import report_error

__all__ = [
    "Component",
    "Journal",
    "LogRecord",
    "LogSink",
    "SanitizePolicy",
    "duration_text",
    "rendered",
    "report_error",
    "sanitized",
    "text_line",
]
