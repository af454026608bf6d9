"""Optimistic locking: ``ETag``, ``If-Match``, ``If-None-Match`` and ``lock_version`` (spec/api.md §1, concurrency)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.http import HttpRequest, HttpResponse

from kivuko.errors import ChangedMeanwhile

__all__ = ["check_version", "etag", "not_modified", "tags_of"]


def etag(lock_version: int) -> str:
    """The entity tag of a version."""
    return f'"{lock_version}"'


def check_version(request: HttpRequest, given: int | None, current_version: int, current: Callable[[], Mapping[str, object]]) -> None:
    """Raises ChangedMeanwhile when ``If-Match`` or the body's ``lock_version`` is not the current one."""
    wanted = tags_of(request.headers.get("If-Match"))
    stale_tag = bool(wanted) and "*" not in wanted and etag(current_version) not in wanted
    if stale_tag or (given is not None and given != current_version):
        raise ChangedMeanwhile(current=current())


def not_modified(request: HttpRequest, tag: str) -> HttpResponse | None:
    """304 when the client has this already."""
    known = {each.removeprefix("W/") for each in tags_of(request.headers.get("If-None-Match"))}
    if tag not in known and "*" not in known:
        return None
    answer = HttpResponse(status=304)
    answer["ETag"] = tag
    return answer


def tags_of(header: str | None) -> set[str]:
    """The entity tags of a header, weak ones as they stand."""
    return {each.strip() for each in header.split(",") if each.strip()} if header else set()
