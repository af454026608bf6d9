"""A mail server on loopback that keeps what it gets."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Self

from aiosmtpd.controller import Controller

__all__ = ["Mailbox"]


class _AnyPort(Controller):
    """On a port that is free."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        super()._trigger_server()


class Mailbox:
    """Up inside ``with``; ``url`` is its address as ``KIVUKO_MAIL_URL`` wants it."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self._controller = _AnyPort(self, hostname="127.0.0.1", port=0)

    def __enter__(self) -> Self:
        self._controller.start()
        self.url = f"smtp://127.0.0.1:{self._controller.port}?tls=no"
        return self

    def __exit__(self, *error: object) -> None:
        self._controller.stop()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  # aiosmtpd's name
        """Keeps a mail."""
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 kept"

    def texts(self) -> list[str]:
        """All mails with all their parts, as text."""
        return ["\n".join([str(mail["subject"]), *map(_content, mail.walk())]) for mail in self.mails]


def _content(part: EmailMessage) -> str:
    return "" if part.is_multipart() else str(part.get_content())
