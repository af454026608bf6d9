"""Letters are handed to the mail server, and again with growing pauses until it takes them."""

from __future__ import annotations

import smtplib
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.utils import timezone

from kivuko.platform.notifications.models import Letter
from kivuko.platform.notifications.telling import mail_is_set_up

__all__ = ["Postman", "pause_after"]

_log = structlog.get_logger(__name__)

_AT_ONCE = 50
_FIRST_PAUSE = timedelta(minutes=1)
_LONGEST_PAUSE = timedelta(hours=4)
MOST_TRIES = 14
"""About a day and a half."""


def pause_after(tries: int) -> timedelta:
    """How long to wait after so many tries in vain."""
    return min(_FIRST_PAUSE * (1 << (tries - 1)), _LONGEST_PAUSE)


class Postman:
    """Sends what is due. One thread at a time may use it."""

    def __init__(self, *, now: Callable[[], datetime] = timezone.now) -> None:
        self._now = now

    def work(self) -> bool:
        """Tries each letter that is due once; whether there are more. Raises Django's DatabaseError."""
        if not mail_is_set_up():
            return False
        due = list(Letter.objects.filter(next_try_at__lte=self._now()).order_by("next_try_at", "id")[:_AT_ONCE])
        sent = [self._send(letter) for letter in due]
        return len(due) == _AT_ONCE and all(sent)

    def _send(self, letter: Letter) -> bool:
        try:
            _mail(letter).send()
        except (OSError, smtplib.SMTPException) as error:
            self._put_off(letter, error)
            return False
        letter.delete()
        return True

    def _put_off(self, letter: Letter, error: Exception) -> None:
        letter.tries += 1
        letter.last_error = f"{type(error).__name__}: {error}"[:500]
        if letter.tries >= MOST_TRIES or _is_final(error):
            letter.next_try_at, letter.given_up_at = None, self._now()
            _log.error("mail_given_up", recipient=letter.recipient, subject=letter.subject, tries=letter.tries, error=letter.last_error)
        else:
            letter.next_try_at = self._now() + pause_after(letter.tries)
            _log.warning("mail_put_off", recipient=letter.recipient, tries=letter.tries, error=letter.last_error)
        letter.save(update_fields=["tries", "last_error", "next_try_at", "given_up_at"])


def _is_final(error: Exception) -> bool:
    """Whether the mail server will never take it: an address that it refuses for good (RFC 5321 §4.2.1)."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in error.recipients.values())
    return False


def _mail(letter: Letter) -> EmailMultiAlternatives:
    host = urlsplit(settings.KIVUKO_PUBLIC_URL).hostname or "localhost"
    mail = EmailMultiAlternatives(
        subject=letter.subject,
        body=letter.text,
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[letter.recipient],
        # The same letter, sent twice because the answer was lost, has the same id: many mailboxes show it once.
        headers={"Message-ID": f"<{letter.id}@{host}>", "Auto-Submitted": "auto-generated"},
        connection=get_connection(),
    )
    mail.attach_alternative(letter.html, "text/html")
    return mail
