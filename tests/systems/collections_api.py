"""OpenFn's collections over HTTP, as the collections adaptor asks for them (adaptors.md §6)."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from urllib.parse import unquote

from .loopback import Loopback, Reply, Request

__all__ = ["TOKEN", "CollectionsApi"]

TOKEN = "collections-token-41c9"


class CollectionsApi:
    """The API; ``endpoint`` is what ``collections_endpoint`` holds. ``collections`` maps names to their items, in order of creation.

    A cursor is the key of the last item given. Items written over HTTP carry the time ``now`` (ISO 8601), which a test sets.
    """

    def __init__(self, collections: Mapping[str, Mapping[str, str]], now: str = "2026-01-05T08:00:00Z") -> None:
        self.now = now
        self.collections = {name: dict(items) for name, items in collections.items()}
        self.created = {(name, key): now for name, items in self.collections.items() for key in items}
        self.server = Loopback(self.answer)

    @property
    def endpoint(self) -> str:
        """The base address of all collections."""
        return f"{self.server.url}/collections"

    def answer(self, request: Request) -> Reply:
        """Route one request: 401 without the token, 404 for an unknown collection."""
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return Reply(401, {"error": "Unauthorized"})
        name, _, key = unquote(request.path.removeprefix("/collections/")).partition("/")
        if name not in self.collections:
            return Reply(404, {"error": "Not Found"})
        if request.method == "POST":
            return self._store(name, request.json()["items"])
        if request.method == "DELETE":
            return self._delete(name, key or request.parameter("key"))
        return self._read(name, key) if key else self._list(name, request)

    def _read(self, name: str, key: str) -> Reply:
        value = self.collections[name].get(key)
        return Reply(204) if value is None else Reply(200, {"key": key, "value": value})

    def _list(self, name: str, request: Request) -> Reply:
        pattern, limit = request.parameter("key", "*"), int(request.parameter("limit", "1000"))
        after, before = request.parameter("created_after"), request.parameter("created_before", "9")
        keys = [key for key in self.collections[name] if fnmatch.fnmatchcase(key, pattern)]
        keys = [key for key in keys if after <= self.created[name, key] < before]
        if cursor := request.parameter("cursor"):
            keys = keys[keys.index(cursor) + 1 :]
        page = keys[:limit]
        items = [{"key": key, "value": self.collections[name][key]} for key in page]
        return Reply(200, {"items": items, "cursor": page[-1] if len(keys) > limit else None})

    def _store(self, name: str, items: list[dict[str, str]]) -> Reply:
        for item in items:
            self.collections[name][item["key"]] = item["value"]
            self.created[name, item["key"]] = self.now
        return Reply(200, {"upserted": len(items), "error": None})

    def _delete(self, name: str, pattern: str) -> Reply:
        keys = [key for key in self.collections[name] if fnmatch.fnmatchcase(key, pattern)]
        for key in keys:
            del self.collections[name][key]
        return Reply(200, {"deleted": len(keys), "keys": keys})
