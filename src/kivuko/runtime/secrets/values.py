"""Which values of a credential are secret (requirements §3.9)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import urlsplit

__all__ = ["SHORTEST_SECRET", "Login", "logins", "secret_values"]

SHORTEST_SECRET = 4
"""Shorter values are not scrubbed: they would blot out ordinary text."""

Login = tuple[str, str]
"""A user name and a secret that belongs to it."""

_OPEN_KEYS = frozenset(
    {"baseurl", "hosturl", "host", "hostname", "clusterhostname", "server", "loginurl", "apiversion", "instanceurl", "url", "uri", "port"}
)
_USER_KEYS = frozenset({"username", "user", "email", "login"})
_PARTNER_KEYS = _USER_KEYS | {"userid", "clientid", "consumerkey"}
_OPEN_WORDS = frozenset({"true", "false", "null", "none", "undefined"})
_OPEN_TYPES = frozenset({"boolean", "integer", "number"})


def secret_values(configuration: object, schema: Mapping[str, object] | None = None) -> Iterator[str]:
    """The secret texts of a configuration, at any depth, as they are.

    Secret is every text of at least four characters, except under keys that the adaptor's schema (JSON schema, draft 7) or the key's own
    name shows to be none: URLs, host names, enums, defaults, API versions, ports, and user names. A key that the schema calls
    ``writeOnly`` is secret whatever its name. Of a URL, the password in it is secret.
    """
    pending: list[tuple[object, Mapping[str, object]]] = [(configuration, schema or {})]
    while pending:
        value, about = pending.pop()
        if isinstance(value, Mapping):
            pending += [(item, _about(about, str(key))) for key, item in value.items() if not isinstance(item, str)]
            for key, item in value.items():
                if isinstance(item, str):
                    yield from _of_text(str(key), item, _about(about, str(key)))
        elif isinstance(value, list | tuple):
            pending += [(item, about) for item in value if not isinstance(item, str)]
            yield from (item for item in value if isinstance(item, str) and _is_long_enough(item))


def logins(configuration: object) -> Iterator[Login]:
    """Every user name of a configuration with every secret of it: what a ``Basic`` header may be made of."""
    if not isinstance(configuration, Mapping):
        return
    texts = {str(key): value for key, value in configuration.items() if isinstance(value, str) and value}
    users = [value for key, value in texts.items() if _plain(key) in _PARTNER_KEYS]
    for value in set(secret_values(configuration)):
        yield from ((user, value) for user in ("", *users))


def _of_text(key: str, value: str, about: Mapping[str, object]) -> Iterable[str]:
    if not _is_long_enough(value):
        return ()
    if about.get("writeOnly") is True or not _is_open(key, value, about):
        return (value,)
    return _password_of_url(value)


def _is_open(key: str, value: str, about: Mapping[str, object]) -> bool:
    name = _plain(key)
    return (
        name in _OPEN_KEYS
        or name in _USER_KEYS
        or (name.endswith(("url", "uri", "endpoint")) and "://" in value)
        or "enum" in about
        or "const" in about
        or about.get("default") == value
        or any(part.get("format") in ("uri", "hostname") or part.get("type") in _OPEN_TYPES for part in _alternatives(about))
    )


def _alternatives(about: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    yield about
    for word in ("anyOf", "oneOf"):
        options = about.get(word)
        if isinstance(options, list):
            yield from (option for option in options if isinstance(option, Mapping))


def _about(schema: Mapping[str, object], key: str) -> Mapping[str, object]:
    properties = schema.get("properties")
    about = properties.get(key) if isinstance(properties, Mapping) else None
    return about if isinstance(about, Mapping) else {}


def _is_long_enough(value: str) -> bool:
    return len(value.strip()) >= SHORTEST_SECRET and value.strip().lower() not in _OPEN_WORDS


def _password_of_url(value: str) -> Iterable[str]:
    try:
        password = urlsplit(value).password
    except ValueError:
        return ()
    return (password,) if password and _is_long_enough(password) else ()


def _plain(key: str) -> str:
    return "".join(character for character in key.lower() if character.isalnum())
