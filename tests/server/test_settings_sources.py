"""Where settings come from, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import get_type_hints

import pytest

from kivuko.errors import DataFolderRefused, SettingInvalid
from kivuko.server.datafolder import DataFolder
from kivuko.server.settings import ServerSettings, every_setting
from kivuko.server.settings_sources import read_settings


def test_without_anything_the_defaults_hold(tmp_path: Path) -> None:
    settings = read_settings({}, tmp_path)
    assert settings == ServerSettings()
    assert (settings.host, settings.port) == ("127.0.0.1", 4000)


def test_flags_win_over_variables_and_these_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "kivuko.toml").write_text('port = 1\nhost = "10.0.0.1"\nlog_level = "debug"\n')
    settings = read_settings({"KIVUKO_PORT": "2", "KIVUKO_HOST": "10.0.0.2"}, tmp_path, {"port": 3, "host": None})
    assert (settings.port, settings.host, settings.log_level) == (3, "10.0.0.2", "debug")


def test_a_variable_that_is_empty_counts_as_not_given(tmp_path: Path) -> None:
    assert read_settings({"KIVUKO_PORT": ""}, tmp_path).port == 4000


@pytest.mark.parametrize(
    ("variable", "value", "name", "found"),
    [
        ("DATABASE_URL", "postgresql://h/d", "database_url", "postgresql://h/d"),
        ("WORKER_SECRET", "s", "worker_secret", "s"),
        ("OPENFN_REPO_DIR", "/r", "adaptors", "/r"),
        ("KIVUKO_WORKER", "off", "worker", False),
        ("KIVUKO_WORKER", "Yes", "worker", True),
        ("KIVUKO_DRAIN_DELAY_S", "2.5", "drain_delay_s", 2.5),
        ("KIVUKO_TRUSTED_PROXIES", "10.0.0.1, 10.1.0.0/16,", "trusted_proxies", ("10.0.0.1", "10.1.0.0/16")),
    ],
)
def test_variables_are_read_in_the_settings_own_kind(tmp_path: Path, variable: str, value: str, name: str, found: object) -> None:
    assert getattr(read_settings({variable: value}, tmp_path), name) == found


def test_of_several_names_our_own_goes_first(tmp_path: Path) -> None:
    assert read_settings({"DATABASE_URL": "sqlite:///a", "KIVUKO_DATABASE_URL": "sqlite:///b"}, tmp_path).database_url == "sqlite:///b"


def test_the_file_may_hold_a_list_and_numbers(tmp_path: Path) -> None:
    (tmp_path / "kivuko.toml").write_text('trusted_proxies = ["10.0.0.1"]\nshutdown_grace_s = 5\nworker = false\n')
    settings = read_settings({}, tmp_path)
    assert (settings.trusted_proxies, settings.shutdown_grace_s, settings.worker) == (("10.0.0.1",), 5.0, False)


@pytest.mark.parametrize("name", ["KIVUKO_PROT", "KIVUKO_WEB_THREAD"])
def test_an_unknown_variable_is_refused_with_the_nearest_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingInvalid, match=name) as refused:
        read_settings({name: "1"}, tmp_path)
    assert "Did you mean KIVUKO_" in refused.value.fix


def test_variables_of_credentials_and_of_others_are_left_alone(tmp_path: Path) -> None:
    given = {"KIVUKO_CREDENTIAL_DHIS2": "{}", "KIVUKO_DATA": "/d", "PORT": "9", "KIVUKO_TEST_REPO": "/x"}
    assert read_settings(given, tmp_path) == ServerSettings()


def test_an_unknown_key_of_the_file_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    (tmp_path / "kivuko.toml").write_text("prot = 1\n")
    with pytest.raises(SettingInvalid) as refused:
        read_settings({}, tmp_path)
    assert refused.value.fix == "Did you mean port?"


def test_of_a_data_folder_that_is_a_file_its_opening_tells(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    assert read_settings({}, file).port == 4000
    with pytest.raises(DataFolderRefused, match="is not a folder"):
        DataFolder.open(file)


@pytest.mark.parametrize("text", ["port = ", "= 1", "port = 1\nport = 2"])
def test_a_file_that_is_no_toml_is_refused_with_its_path(tmp_path: Path, text: str) -> None:
    (tmp_path / "kivuko.toml").write_text(text)
    with pytest.raises(SettingInvalid, match=r"kivuko\.toml"):
        read_settings({}, tmp_path)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("KIVUKO_PORT", "http"),
        ("KIVUKO_PORT", "70000"),
        ("KIVUKO_PORT", "4.5"),
        ("KIVUKO_WORKER", "maybe"),
        ("KIVUKO_WEB_THREADS", "0"),
        ("KIVUKO_LEASE_S", "-3"),
        ("KIVUKO_SHUTDOWN_GRACE_S", "nan"),
        ("KIVUKO_LOG_FORMAT", "xml"),
        ("KIVUKO_LOG_LEVEL", "loud"),
        ("KIVUKO_URL", "kivuko.example.org"),
    ],
)
def test_values_that_cannot_be_are_refused(tmp_path: Path, variable: str, value: str) -> None:
    with pytest.raises(SettingInvalid):
        read_settings({variable: value}, tmp_path)


def test_the_value_of_a_secret_is_in_no_message_and_no_representation(tmp_path: Path) -> None:
    (tmp_path / "kivuko.toml").write_text("secret_key = 77777\n")
    with pytest.raises(SettingInvalid) as refused:
        read_settings({}, tmp_path)
    assert "77777" not in str(refused.value)
    (tmp_path / "kivuko.toml").unlink()
    given = {each.variables[0]: "canary-7" for each in every_setting() if each.secret}
    assert "canary-7" not in repr(read_settings(given, tmp_path))


def test_every_setting_says_what_it_is_good_for() -> None:
    described = every_setting()
    assert [each.name for each in described] == list(get_type_hints(ServerSettings))
    assert all(each.about and not each.about.endswith(".") for each in described)
