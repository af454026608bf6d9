"""The mail server that the settings name."""

from __future__ import annotations

from urllib.parse import parse_qs, unquote, urlsplit

from kivuko.errors import SettingInvalid
from kivuko.platform import MailSettings
from kivuko.server.settings import ServerSettings

__all__ = ["mail_settings"]

_PORTS = {"smtp": 587, "smtps": 465}
_FORM = "Write smtp://user:password@host:587, smtps://…:465 or smtp://host:25?tls=no; signs in the password as %40 and so on."


def mail_settings(settings: ServerSettings) -> MailSettings:
    """``mail_url`` taken apart; without one, no mail is sent. Raises SettingInvalid, which does not show it: it has a password in it."""
    if not settings.mail_url:
        return MailSettings(sender=settings.mail_from)
    try:
        address = urlsplit(settings.mail_url)
        port = address.port or _PORTS[address.scheme]
        options = parse_qs(address.query, strict_parsing=bool(address.query))
    except (KeyError, ValueError) as problem:
        raise SettingInvalid("mail_url cannot be read", fix=_FORM) from problem
    if not address.hostname or set(options) - {"tls"} or options.get("tls", ["yes"]) not in (["yes"], ["no"]):
        raise SettingInvalid("mail_url cannot be read", fix=_FORM)
    secure = address.scheme == "smtps"
    return MailSettings(
        host=address.hostname,
        port=port,
        user=unquote(address.username or ""),
        password=unquote(address.password or ""),
        tls=not secure and options.get("tls") != ["no"],
        ssl=secure,
        sender=settings.mail_from,
    )
