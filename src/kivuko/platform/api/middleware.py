"""What holds for every answer under ``/api/v1``: a request id, and problem+json for what Django itself refuses (unknown paths, methods)."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from kivuko.errors import KivukoError
from kivuko.platform.api.problems import CONTENT_TYPE, Problem, problem_answer, problem_of
from kivuko.records import new_id

__all__ = ["ApiConventions", "request_id_of"]

log = logging.getLogger("kivuko.api")

PREFIX = "/api/v1"
_GIVEN = re.compile(r"[A-Za-z0-9._:/+=-]{20,200}")


class ApiConventions:
    """The outermost layer: it also sees what the other layers raise."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """The answer, with what every answer has."""
        if not (request.path == PREFIX or request.path.startswith(f"{PREFIX}/")):
            return self._get_response(request)
        request_id = request_id_of(request)
        answer = self._get_response(request)
        if answer.status_code >= 400 and answer.get("Content-Type", "") != CONTENT_TYPE:
            answer = _as_problem(request, answer, request_id)
        answer["X-Request-Id"] = request_id
        answer.setdefault("Cache-Control", "no-store")
        answer["X-Content-Type-Options"] = "nosniff"
        return answer


def request_id_of(request: HttpRequest) -> str:
    """The request's id: the one it brought, if that is 20 to 200 harmless characters, else a new one."""
    found = getattr(request, "kivuko_request_id", None)
    if found is None:
        given = request.headers.get("X-Request-Id", "")
        found = given if _GIVEN.fullmatch(given) else str(new_id())
        request.kivuko_request_id = found  # type: ignore[attr-defined]
    return str(found)


def _as_problem(request: HttpRequest, answer: HttpResponseBase, request_id: str) -> HttpResponse:
    status = answer.status_code
    if status == 404:
        problem = Problem(404, "not_found", f"There is nothing at {request.path}.", "Look at /api/v1/docs for the paths there are.")
    elif status == 405:
        allowed = answer.get("Allow", "")
        problem = Problem(
            405, "method_not_allowed", f"{request.method} is not allowed at {request.path}.", f"Use {allowed}.", headers={"Allow": allowed}
        )
    elif status == 400:
        problem = Problem(400, "malformed_request", "The request's head cannot be used.", "Check the Host header and the address.")
    elif status == 403:
        problem = Problem(403, "forbidden", "The request was refused.", "Send the header X-CSRFToken with the session's cookie.")
    else:
        log.error("api answered %s at %s %s, request %s", status, request.method, request.path, request_id)
        problem = problem_of(KivukoError())
    return problem_answer(problem, request_id)
