"""The mail server that the settings name."""

from __future__ import annotations

import pytest

from kivuko.errors import SettingInvalid
from kivuko.platform import MailSettings
from kivuko.server.mail import mail_settings
from kivuko.server.settings import ServerSettings


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("", MailSettings()),
        ("smtp://mail.example.org", MailSettings("mail.example.org", 587, tls=True)),
        ("smtp://me:p%40ss@mail.example.org:2525", MailSettings("mail.example.org", 2525, "me", "p@ss", tls=True)),
        ("smtps://mail.example.org", MailSettings("mail.example.org", 465, ssl=True)),
        ("smtp://127.0.0.1:25?tls=no", MailSettings("127.0.0.1", 25)),
    ],
    ids=["none", "submission", "user", "tls", "plain"],
)
def test_the_address_says_host_port_user_and_security(url: str, found: MailSettings) -> None:
    assert mail_settings(ServerSettings(mail_url=url)) == found


def test_the_sender_is_the_settings_own() -> None:
    assert mail_settings(ServerSettings(mail_from="a@b.org")).sender == "a@b.org"


@pytest.mark.parametrize(
    "url",
    [
        "mail.example.org",
        "http://canary@h",
        "smtp://canary@:25",
        "smtp://canary@h:x",
        "smtp://canary@h?tls=perhaps",
        "smtp://canary@h?ssl=1",
    ],
)
def test_what_cannot_be_read_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(SettingInvalid) as refused:
        mail_settings(ServerSettings(mail_url=url))
    assert "canary" not in str(refused.value)
