"""A mail server on loopback (aiosmtpd): keeps what it gets, and refuses what it is told to."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from types import TracebackType
from typing import Any

from aiosmtpd.controller import Controller

from kivuko.platform import MailSettings, setup
from kivuko.platform.settings import current


class _AnyPort(Controller):
    """On a port that is free."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        super()._trigger_server()


class Mailbox:
    """``letters`` are what came, ``answer`` is what is said to the next ones, ``refused`` the addresses that are refused for good."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.answer = "250 OK"
        self.refused: set[str] = set()
        self._controller = _AnyPort(self, hostname="127.0.0.1", port=0)

    def __enter__(self) -> Mailbox:
        self._controller.start()
        setup(replace(current(), mail=MailSettings(host="127.0.0.1", port=self._controller.port, sender="Kivuko <kivuko@kivuko.example>")))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._controller.stop()

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        """As aiosmtpd asks."""
        if address in self.refused:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        """As aiosmtpd asks."""
        if self.answer.startswith("250"):
            letter = message_from_bytes(envelope.content, policy=policy.default)
            assert isinstance(letter, EmailMessage)
            self.letters.append(letter)
        return self.answer

    def part(self, at: int, kind: str) -> str:
        """The text of a letter: ``plain`` or ``html``."""
        found = self.letters[at].get_body((kind,))
        assert found is not None
        return str(found.get_content())
