"""The process's log: one line an event on standard error, as JSON or for eyes, with the ids of requests, Attempts and workers."""

from __future__ import annotations

import logging
import sys
from typing import TextIO

import structlog
from structlog.typing import Processor

__all__ = ["set_up_logs"]

_SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


# What variables hold at the moment of a failure is bodies, credentials, tokens: never in a log.
_TRACEBACKS = structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False))


def set_up_logs(form: str, level: str, stream: TextIO | None = None) -> None:
    """Sends structlog's and the standard library's lines of ``level`` and above to ``stream``.

    ``form`` is ``json`` or ``console``; empty means console on a terminal, else JSON.
    """
    stream = stream or sys.stderr
    as_json = form == "json" or (not form and not stream.isatty())
    least = logging.getLevelNamesMapping()[level.upper()]
    render: Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback)
    )
    last: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    last += [_TRACEBACKS, render] if as_json else [render]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=_SHARED, processors=last))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(least)
    # What libraries say about every request and frame is ours to say, or nobody's.
    for noisy in ("uvicorn", "uvicorn.access", "websockets", "asyncio"):
        logging.getLogger(noisy).setLevel(max(least, logging.WARNING))
    logging.getLogger("django.request").setLevel(max(least, logging.ERROR))
    # A wrong Host or ten thousand parameters are answered with 400: a traceback for each would let strangers fill the disk.
    logging.getLogger("django.security").setLevel(logging.CRITICAL)
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(least),
        cache_logger_on_first_use=False,
    )
