"""The API as one object: strict parsing, every error as a problem, the routes of all nouns."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import orjson
from django.core.exceptions import RequestDataTooBig
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI, Router
from ninja.errors import HttpError, ValidationError
from ninja.operation import Operation
from ninja.renderers import BaseRenderer

from kivuko import __version__
from kivuko.errors import BodyTooLarge, KivukoError, MalformedJson, ObjectMissing, RecordsUnavailable, Unauthenticated
from kivuko.platform.api.admission import admitted
from kivuko.platform.api.authentication import AUTHENTICATION
from kivuko.platform.api.bodies import StrictParser
from kivuko.platform.api.middleware import request_id_of
from kivuko.platform.api.problems import Problem, problem_answer, problem_of, validation_problem
from kivuko.platform.reaching import is_away

__all__ = ["KivukoApi", "build_api"]

log = logging.getLogger("kivuko.api")

_ABOUT = "Kivuko's own API. Errors are application/problem+json; lists are paged by cursor; unknown keys and filters are refused."


_WORDS = {
    "extra_forbidden": "is no key of this object",
    "missing": "is missing",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
}


class JsonRenderer(BaseRenderer):
    """Answers as JSON."""

    media_type = "application/json"

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> Any:
        """The bytes."""
        return orjson.dumps(data, default=str)


class KivukoApi(NinjaAPI):
    """The API; ``openapi.json`` and ``docs`` are routes of ours (``kivuko.platform.api.routes.about``)."""

    def get_openapi_operation_id(self, operation: Operation) -> str:
        """The name of the operation's function: it is unique, and becomes the name in generated clients."""
        return operation.view_func.__name__


def build_api(routers: Sequence[Router]) -> KivukoApi:
    """The API with these routers, each of one noun."""
    api = KivukoApi(
        title="Kivuko",
        version="1",
        description=_ABOUT,
        docs_url=None,
        openapi_url=None,
        urls_namespace="api_v1",
        auth=AUTHENTICATION,
        parser=StrictParser(),
        renderer=JsonRenderer(),
        openapi_extra={"info": {"x-kivuko-version": __version__}},
    )
    api.add_decorator(admitted, mode="view")
    for router in routers:
        api.add_router("", router)
    _handle_errors(api)
    return api


def _handle_errors(api: NinjaAPI) -> None:
    def answer(request: HttpRequest, problem: Problem) -> HttpResponse:
        return problem_answer(problem, request_id_of(request))

    def kivuko(request: HttpRequest, error: KivukoError) -> HttpResponse:
        problem = problem_of(error)
        if problem.status == 500:
            log.error("request %s met %s", request_id_of(request), type(error).__name__, exc_info=error)
        elif isinstance(error, RecordsUnavailable):
            log.warning("request %s: %s", request_id_of(request), error.message)
        return answer(request, problem)

    def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
        if any(found["loc"][0] == "path" for found in error.errors):
            return kivuko(request, ObjectMissing())
        return answer(request, validation_problem(_sentences(error)))

    def http(request: HttpRequest, error: HttpError) -> HttpResponse:
        if isinstance(error.__cause__, KivukoError):
            return kivuko(request, error.__cause__)
        return kivuko(request, Unauthenticated() if error.status_code == 401 else MalformedJson())

    def missing(request: HttpRequest, error: Http404) -> HttpResponse:
        return kivuko(request, ObjectMissing())

    def large(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
        return kivuko(request, BodyTooLarge())

    def database(request: HttpRequest, error: DatabaseError) -> HttpResponse:
        log.error("request %s: the database failed", request_id_of(request), exc_info=error)
        return kivuko(request, RecordsUnavailable() if is_away(error) else KivukoError())

    def anything(request: HttpRequest, error: Exception) -> HttpResponse:
        log.error("request %s failed", request_id_of(request), exc_info=error)
        return kivuko(request, KivukoError())

    handlers: Mapping[type[Exception], Callable[[HttpRequest, Any], HttpResponse]] = {
        KivukoError: kivuko,
        ValidationError: invalid,
        HttpError: http,
        Http404: missing,
        RequestDataTooBig: large,
        DatabaseError: database,
        Exception: anything,
    }
    for kind, handler in handlers.items():
        api.add_exception_handler(kind, handler)


def _sentences(error: ValidationError) -> Iterator[tuple[str, str]]:
    """(path, sentence) of each thing that is wrong; the path is the body's or the query's own."""
    for found in error.errors:
        # (where, the view's name for it, then the path that people know); a plain parameter of the query comes without the second.
        where, *path = found["loc"]
        shown = path[1:] or (path if where == "query" else [])
        sentence = _WORDS.get(found["type"]) or _worded(found["msg"])
        yield ".".join(map(str, shown)), sentence if shown else f"the body {sentence}"


def _worded(message: str) -> str:
    """pydantic's sentence in our words: it follows the name of the field."""
    message = message.removeprefix("Value error, ").replace("Input should", "must", 1)
    return message[:1].lower() + message[1:]
