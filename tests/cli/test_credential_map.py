"""What --credentials reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from kivuko.cli.credential_map import read_credential_map
from kivuko.errors import InputError, InvalidJson, OptionInvalid


def test_json_by_its_extension(tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text('{"dev@example.org|http cred": {"user": "bob", "port": 1}}')
    assert read_credential_map("c.json", tmp_path, {}) == {"dev@example.org|http cred": {"user": "bob", "port": 1}}


@pytest.mark.parametrize("name", ["c.yaml", "c.yml", "credentials"])
def test_anything_else_is_yaml(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("my-cred:\n  user: bob\n")
    assert read_credential_map(name, tmp_path, {}) == {"my-cred": {"user": "bob"}}


@pytest.mark.parametrize("text", ["", "  \n", "# nothing yet\n"])
def test_an_empty_file_is_an_empty_map(tmp_path: Path, text: str) -> None:
    (tmp_path / "c.yaml").write_text(text)
    assert read_credential_map("c.yaml", tmp_path, {}) == {}


def test_values_may_come_from_the_environment(tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text('{"a": {"password": "env:PASS", "list": ["env:PASS"], "deep": {"k": "env:PASS"}, "plain": "x"}}')
    found = read_credential_map("c.json", tmp_path, {"PASS": "s3cret"})
    assert found == {"a": {"password": "s3cret", "list": ["s3cret"], "deep": {"k": "s3cret"}, "plain": "x"}}


def test_a_variable_that_is_not_set_is_named_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text('{"a": {"b": {"password": "env:PASS"}}}')
    with pytest.raises(InputError) as problem:
        read_credential_map("c.json", tmp_path, {})
    assert "PASS" in problem.value.message
    assert "a.b.password" in problem.value.details


def test_a_missing_file_is_an_invalid_option(tmp_path: Path) -> None:
    with pytest.raises(OptionInvalid) as problem:
        read_credential_map("nope.json", tmp_path, {})
    assert problem.value.message == f"Credential map not found at {tmp_path}/nope.json"
    assert problem.value.option == "credentials"


def test_broken_json_and_yaml_name_the_place(tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text('{"a": }')
    (tmp_path / "c.yaml").write_text("a: [1,\nb: }")
    with pytest.raises(InvalidJson, match="credential file contains invalid JSON") as problem:
        read_credential_map("c.json", tmp_path, {})
    assert "line 1" in problem.value.details
    with pytest.raises(InputError, match="credential file contains invalid YAML") as yaml:
        read_credential_map("c.yaml", tmp_path, {})
    assert "line" in yaml.value.details


@pytest.mark.parametrize("text", ["[]", '"x"', "5"])
def test_what_is_no_map_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "c.json").write_text(text)
    with pytest.raises(InputError, match="is no credential map"):
        read_credential_map("c.json", tmp_path, {})
