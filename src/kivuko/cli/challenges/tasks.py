"""The six tasks: what to write, in which file, and what must be seen when it runs (cli.md §7)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

from kivuko.value import value

__all__ = ["TASKS", "Evidence", "Task"]


@value
class Evidence:
    """What a run of a solution showed: exit code, log (plain text) and the output file's JSON (None when there is none)."""

    exit: int
    log: str
    state: Mapping[str, object] | None


@value
class Task:
    """One challenge. ``files`` are the names that a solution may have, the first is the one that the docs use."""

    number: int
    title: str
    files: tuple[str, ...]
    adaptor: str
    goal: str
    grade: Callable[[Evidence], list[str]]
    with_address: bool = True


def _greeting(seen: Evidence) -> list[str]:
    state = seen.state or {}
    hints = []
    if not re.search(r"\[JOB\] ℹ Hello, .+!", seen.log):
        hints.append("log a line such as  Hello, Ada!  with console.log inside fn()")
    if not isinstance(state.get("greeting"), str):
        hints.append("return the state with your text under the key greeting")
    if surplus := sorted(set(state) - {"data", "greeting"}):
        hints.append(f"keep only data and greeting in the state; it also holds {', '.join(surplus)}")
    if state.get("data") != {}:
        hints.append("leave data as it was: {}")
    return hints


def _first_user(seen: Evidence) -> list[str]:
    state = seen.state or {}
    hints = []
    if _ids(state.get("data")) != [1, 2]:
        hints.append("fetch /users so that both users are in state.data")
    response = state.get("response")
    if not isinstance(response, dict) or response.get("statusCode") != 200:
        hints.append("keep state.response, which get() sets: return the state with ...state")
    if "Leanne Graham" not in seen.log or "Ervin Howell" in seen.log:
        hints.append("log the first user alone: console.log(state.data[0])")
    return hints


def _covid(seen: Evidence) -> list[str]:
    state = seen.state or {}
    hints = []
    wanted = {"Africa": ["Kenya", "Chad"], "Asia": ["Nepal"]}
    if not _grouped(state.get("byRegion"), wanted):
        hints.append(f"put the countries, grouped by continent, under byRegion: {json.dumps(wanted)}")
    if "configuration" in state:
        hints.append("do not copy configuration into the state: it holds credentials")
    return hints


def _contacts(seen: Evidence) -> list[str]:
    wanted = [{"name": "n1", "email": "e1@example.org"}, {"name": "n2", "email": "e2@example.org"}]
    hints = []
    if (seen.state or {}).get("contacts") != wanted:
        hints.append("put a list of {name, email}, one for each comment of post 1, under contacts")
    if not all(value in seen.log for contact in wanted for value in contact.values()):
        hints.append("log the list: console.log(state.contacts)")
    return hints


def _refused(seen: Evidence) -> list[str]:
    """Both forms pass: the error as it is (5) and the error caught and explained (5b)."""
    errors = (seen.state or {}).get("errors")
    if "404" not in seen.log:
        return ["ask for posts/180, which does not exist, so that the log tells of a 404"]
    if isinstance(errors, dict):
        held: object = next(iter(errors.values()), None)
        name = held.get("name") if isinstance(held, dict) else None
        return [] if name == "AdaptorError" else [f"let the request itself fail (an AdaptorError); yours is {name}"]
    if "Request failed" in seen.log:
        return []
    return ["catch the error with .catch((error, state) => …) and log  Request failed: 404, or do not catch it at all"]


def _posts(seen: Evidence) -> list[str]:
    if _ids((seen.state or {}).get("posts")) == [1, 2]:
        return []
    return ["fetch /posts and keep those with userId 1 under posts: two posts, with the ids 1 and 2"]


def _ids(value: object) -> list[object]:
    return [item.get("id") for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _grouped(found: object, wanted: Mapping[str, list[str]]) -> bool:
    if not isinstance(found, dict) or set(found) != set(wanted):
        return False
    return all(_countries(found[region]) == names for region, names in wanted.items())


def _countries(group: object) -> list[object]:
    return [item.get("country") if isinstance(item, dict) else item for item in group] if isinstance(group, list) else []


TASKS = (
    Task(1, "A personalised greeting", ("hello.js",), "common", "log  Hello, <name>!  and keep it in state.greeting", _greeting, False),
    Task(2, "The first user", ("getUsers.js",), "http", "fetch /users, log the first user", _first_user),
    Task(3, "Covid-19 by region", ("covid.js",), "http", "group the countries of /v3/covid-19/countries by continent, as byRegion", _covid),
    Task(4, "Names and e-mails", ("comments.js",), "http", "fetch /posts/1/comments, log and keep name and email as contacts", _contacts),
    Task(5, "Control an error", ("error.js", "e.js"), "http", "fetch posts/180; if you catch it, log  Request failed: 404", _refused),
    Task(6, "Filter posts", ("getPosts.js",), "http", "fetch /posts, keep those of user 1 as posts", _posts),
)
