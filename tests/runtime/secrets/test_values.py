"""Which values of a credential are secret."""

from __future__ import annotations

import pytest

from kivuko.runtime.secrets import logins, secret_values


def secrets(configuration: object, schema: dict[str, object] | None = None) -> set[str]:
    return set(secret_values(configuration, schema))


def test_texts_of_at_least_four_characters_are_secret() -> None:
    assert secrets({"password": "hunter22", "pin": "123", "token": "abcd", "n": 123456, "b": True, "z": None}) == {"hunter22", "abcd"}


def test_secrets_are_found_at_any_depth() -> None:
    assert secrets({"a": {"b": [{"c": "deep-one"}, "listed-one"]}}) == {"deep-one", "listed-one"}


@pytest.mark.parametrize(
    "key", ["baseUrl", "base_url", "hostUrl", "host", "loginUrl", "instance_url", "apiVersion", "username", "user", "email", "port"]
)
def test_addresses_versions_and_user_names_are_not_secret(key: str) -> None:
    assert secrets({key: "something"}) == set()


def test_a_key_that_ends_like_a_url_is_open_only_if_it_holds_one() -> None:
    assert secrets({"webhookUrl": "https://x.example/a", "curl": "not-a-url"}) == {"not-a-url"}


def test_the_password_in_a_url_is_secret() -> None:
    assert secrets({"baseUrl": "https://admin:district@play.dhis2.example"}) == {"district"}


def test_a_url_that_cannot_be_read_has_no_password() -> None:
    assert secrets({"baseUrl": "https://[oops"}) == set()


@pytest.mark.parametrize("word", ["true", "False", "null", "none", "    "])
def test_words_that_every_log_contains_are_not_secret(word: str) -> None:
    assert secrets({"flag": word}) == set()


@pytest.mark.parametrize(
    "about",
    [
        {"type": "string", "format": "uri"},
        {"anyOf": [{"format": "uri"}, {"maxLength": 0}]},
        {"enum": ["production", "sandbox"]},
        {"const": "production"},
        {"type": "string", "default": "production"},
        {"type": "boolean"},
        {"type": "integer"},
    ],
)
def test_the_schema_shows_what_is_not_secret(about: dict[str, object]) -> None:
    assert secrets({"environment": "production"}, {"properties": {"environment": about}}) == set()


def test_a_value_other_than_the_default_is_secret() -> None:
    assert secrets({"key": "mine-alone"}, {"properties": {"key": {"default": "example"}}}) == {"mine-alone"}


def test_what_the_schema_calls_write_only_is_secret_whatever_its_name() -> None:
    assert secrets({"host": "secret-host"}, {"properties": {"host": {"writeOnly": True}}}) == {"secret-host"}


def test_nested_schemas_count() -> None:
    schema: dict[str, object] = {"properties": {"tls": {"properties": {"mode": {"enum": ["strict"]}}}}}
    assert secrets({"tls": {"mode": "strict", "key": "private-key"}}, schema) == {"private-key"}


def test_every_user_name_is_paired_with_every_secret() -> None:
    assert set(logins({"username": "ann", "password": "hunter22"})) == {("", "hunter22"), ("ann", "hunter22")}


@pytest.mark.parametrize("configuration", [None, "text", 3, [], {"deep": {"username": "a"}}])
def test_without_a_user_name_and_a_secret_there_is_no_login(configuration: object) -> None:
    assert list(logins(configuration)) == []
