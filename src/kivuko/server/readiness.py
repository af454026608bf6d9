"""``/health`` and ``/ready``: whether the process lives, and whether it can do its work; why not, for those who may know."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from kivuko.server.answers import json_answer
from kivuko.server.headers import request_id_of

__all__ = ["Check", "Health", "Readiness"]

Check = Callable[[], str]
"""Why something is not ready, as a sentence; empty when all is well. Called on a thread: it may block."""

_PATIENCE_S = 3.0
_GOOD_FOR_S = 0.5


@dataclass
class Readiness:
    """What has to be well. ``stopping`` is set when the process is about to end."""

    checks: Mapping[str, Check]
    stopping: bool = False
    _found: tuple[float, dict[str, str]] = field(default=(float("-inf"), {}), init=False)

    async def problems(self) -> dict[str, str]:
        """Each check with its sentence, empty where all is well. Asked often it looks twice a second."""
        if time.monotonic() - self._found[0] > _GOOD_FOR_S:
            sentences = await asyncio.gather(*(_answer(check) for check in self.checks.values()))
            self._found = (time.monotonic(), dict(zip(self.checks, sentences, strict=True)))
        return {**self._found[1], **({"process": "the server is stopping"} if self.stopping else {})}


async def _answer(check: Check) -> str:
    try:
        async with asyncio.timeout(_PATIENCE_S):
            return await asyncio.to_thread(check)
    except TimeoutError:
        return f"no answer within {_PATIENCE_S:g} s"


class Health:
    """The answers. ``may_see_details`` tells administrators and this machine from others."""

    def __init__(self, readiness: Readiness, may_see_details: Callable[[Request], Awaitable[bool]]) -> None:
        self._readiness = readiness
        self._may_see_details = may_see_details

    async def health(self, request: Request) -> Response:
        """200 while the process lives."""
        return json_answer({"status": "ok"}, 200, request_id_of(request.scope["headers"]))

    async def ready(self, request: Request) -> Response:
        """200, or 503; with what was looked at for those who may see it."""
        problems = await self._readiness.problems()
        well = not any(problems.values())
        content: dict[str, object] = {"status": "ready" if well else "not ready"}
        if await self._may_see_details(request):
            content["checks"] = {name: sentence or "ok" for name, sentence in problems.items()}
        headers = {} if well else {"retry-after": "5"}
        return json_answer(content, 200 if well else 503, request_id_of(request.scope["headers"]), headers)
