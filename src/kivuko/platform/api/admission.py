"""What each request passes before its operation runs: who asks, how often, with which query keys, and whether it has been answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from ninja.operation import Operation

from kivuko.errors import KivukoError, RateLimited, ValidationFailed
from kivuko.platform.api.authentication import authenticate, holder_of
from kivuko.platform.api.bodies import check_body, is_text
from kivuko.platform.api.context import platform
from kivuko.platform.api.idempotency import answered_once
from kivuko.platform.api.middleware import request_id_of
from kivuko.platform.api.problems import problem_answer, problem_of

__all__ = ["admitted", "query_keys"]

View = Callable[..., HttpResponseBase]


def admitted(run: View) -> View:
    """A decorator of operations (django-ninja's mode "view")."""
    operation: Operation = run.__self__  # type: ignore[attr-defined]

    def conduct(request: HttpRequest, **path: Any) -> HttpResponseBase:
        headers: dict[str, str] = {}
        try:
            answer = _admit(request, operation, lambda: run(request, **path), headers)
        except KivukoError as error:
            answer = problem_answer(problem_of(error), request_id_of(request))
        for name, value in headers.items():
            answer[name] = value
        return answer

    return conduct


def query_keys(operation: Operation) -> set[str]:
    """The names of the query parameters that an operation has."""
    models = [model for model in operation.models if model.__ninja_param_source__ == "query"]
    return {name for model in models for name in getattr(model, "__ninja_flatten_map__", None) or model.model_fields}


def _admit(request: HttpRequest, operation: Operation, run: Callable[[], HttpResponseBase], headers: dict[str, str]) -> HttpResponseBase:
    if not operation.auth_callbacks:
        _check_query(request, operation)
        return run()
    holder = holder_of(authenticate(request))
    allowance = platform().rates.take(holder)
    headers.update(allowance.headers)
    if not allowance.allowed:
        raise RateLimited(f"more than {allowance.limit} requests a minute came", retry_after_s=allowance.reset_s)
    _check_query(request, operation)
    check_body(request)
    return answered_once(request, holder, platform().now_us(), run)


def _check_query(request: HttpRequest, operation: Operation) -> None:
    known = query_keys(operation)
    unknown = sorted(set(request.GET) - known)
    if unknown:
        offered = f"there are {', '.join(sorted(known))}" if known else "there are none here"
        raise ValidationFailed(
            errors={key: [f"is no parameter of this list; {offered}"] for key in unknown},
            fix="A filter that is not known would do nothing: correct or leave it away.",
        )
    # A cursor that is none has a code of its own.
    broken = [key for key, values in request.GET.lists() if key != "cursor" and not all(map(is_text, values))]
    if broken:
        raise ValidationFailed(errors={key: ["holds U+0000, which no text may have"] for key in broken})
