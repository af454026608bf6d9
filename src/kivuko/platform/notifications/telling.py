"""Notices become notifications and letters: each person is told once, whatever restarts."""

from __future__ import annotations

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from kivuko.platform.accounts.members import Member, members
from kivuko.platform.notifications.models import Letter, Notification
from kivuko.platform.notifications.stories import Story, story_of
from kivuko.platform.notifications.wording import html_of, text_of
from kivuko.records import Dismiss, Notice, Records, waiting_notices

__all__ = ["TOLD_ROLES", "Teller", "mail_is_set_up"]

_log = structlog.get_logger(__name__)

TOLD_ROLES = ("owner", "admin")
"""Who is told of each failure unless they decide otherwise (R-130)."""
_AT_ONCE = 100
_PATIENCE_S = 30


def mail_is_set_up() -> bool:
    """Whether there is a mail server to hand letters to."""
    return bool(settings.EMAIL_HOST)


class Teller:
    """Passes notices on. One thread at a time may use it."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def work(self) -> bool:
        """Passes on what waits; whether there is more. Raises RecordsUnavailable and Django's DatabaseError."""
        with self._records.reading() as connection:
            notices = waiting_notices(connection, _AT_ONCE)
        for notice in notices:
            story = story_of(self._records, notice, settings.KIVUKO_PUBLIC_URL)
            if story is not None:
                self._tell(notice, story)
        if notices:
            # What was told before the server died is not told again: a notification is there once for each notice and person.
            self._records.submit(Dismiss(tuple(notice.id for notice in notices))).result(_PATIENCE_S)
        return len(notices) == _AT_ONCE

    def _tell(self, notice: Notice, story: Story) -> None:
        if story.notify == "never" or (story.notify == "unhandled" and story.handled):
            return
        people = [member for member in members(story.project_id) if member.role in TOLD_ROLES]
        by_mail = story.notify != "digest" and mail_is_set_up()
        with transaction.atomic():
            told = [member for member in people if _note(notice, story, member)]
            if by_mail:
                Letter.objects.bulk_create(_letter(story, member) for member in told)
        if told:
            _log.warning(
                "people_told",
                kind=story.kind,
                project=story.project,
                workflow=story.workflow,
                job=story.job,
                error=story.error_name,
                people=len(told),
                mail="queued" if by_mail else "mail is not set up" if not mail_is_set_up() else "by digest",
            )


def _note(notice: Notice, story: Story, member: Member) -> bool:
    """Tells a person in the app; False when that was done before."""
    _, is_new = Notification.objects.get_or_create(
        notice_id=notice.id,
        user_id=member.user_id,
        defaults={
            "project_id": story.project_id,
            "kind": story.kind,
            "subject_id": story.subject_id,
            "title": story.title,
            "text": text_of(story, mail=False),
            "link": story.link,
        },
    )
    return is_new


def _letter(story: Story, member: Member) -> Letter:
    return Letter(
        recipient=member.email, subject=story.title, text=text_of(story, mail=True), html=html_of(story), next_try_at=timezone.now()
    )
