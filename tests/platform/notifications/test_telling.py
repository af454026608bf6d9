"""A failed Run tells the project's administrators, in the app and by mail (R-130, R-131, requirements §3.10)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from structlog.testing import capture_logs

from clockwork.mailbox import Mailbox
from clockwork.worlds import JSON, Parts, World
from kivuko.errors import ObjectMissing
from kivuko.platform.notifications.delivery import MOST_TRIES, Postman, pause_after
from kivuko.platform.notifications.models import Letter, Notification
from kivuko.platform.notifications.reading import read
from kivuko.platform.notifications.telling import Teller
from kivuko.platform.workflows.starts import trigger_start
from kivuko.records import Abandon, Cause, ExitReason, Input, Notice, NoticeKind, Origin, StartWork, new_id, waiting_notices
from kivuko.records.rows import Run

EXPRESSION = """// Pays the midwife
fn(state => {
  const { surname } = state.data.form;
  return { ...state, paid: surname.toUpperCase() };
});
"""
ERROR = {
    "name": "RuntimeError",
    "message": "TypeError: Cannot read properties of undefined (reading 'toUpperCase')",
    "line": 4,
    "action": "Check that form.surname is there before it is used.",
}


@pytest.fixture
def payment(world: World) -> Parts:
    return world.save({"kind": "manual"}, [{"name": "Payment", "expression": EXPRESSION}])


def start(world: World, parts: Parts) -> None:
    """Somebody starts the workflow by hand."""
    begins = trigger_start(parts.document, parts.snapshot_id, parts.triggers[0], Cause.MANUAL)
    world.do(StartWork(begins, Origin(world.project_id), Input(), guard_us=0))


def fail(world: World, parts: Parts, *, error: JSON | None = None, log: tuple[str, ...] = ()) -> None:
    """An Attempt of it fails."""
    start(world, parts)
    world.work(reason=ExitReason.FAIL, error_type="JobError", error=error, log=log, output={"form": {"patient": "Fatmata Kamara"}})


def tell(world: World) -> None:
    """What the clock does each second."""
    teller = Teller(world.records)
    while teller.work():
        pass
    Postman().work()


def test_one_mail_and_one_item_tell_of_a_failed_run(world: World, payment: Parts, mailbox: Mailbox) -> None:
    fail(world, payment, error=ERROR, log=("Starting Payment", "Payment failed"))
    tell(world)
    (letter,) = mailbox.letters
    assert letter["to"] == "owner@kivuko.example"
    assert letter["from"] == "Kivuko <kivuko@kivuko.example>"
    assert letter["subject"] == '"Referrals" (clinic) failed: Payment'
    link = f"https://kivuko.example/projects/{world.project_id}/runs/{world.rows(Run)[0].id}"
    text = mailbox.part(0, "plain")
    for words in (
        "Project:  clinic",
        "Workflow: Referrals",
        "Job:      Payment",
        "RuntimeError: TypeError: Cannot read properties of undefined (reading 'toUpperCase')",
        "In line 4: return { ...state, paid: surname.toUpperCase() };",
        "Check that form.surname is there before it is used.",
        "Payment failed",
        f"inspect & take action: {link}",
    ):
        assert words in text
    page = mailbox.part(0, "html")
    assert f'href="{link}"' in page
    assert "inspect &amp; take action</a>" in page
    item = Notification.objects.get(user_id=world.owner.id)
    assert (item.title, item.kind, item.link) == (letter["subject"], "run_failed", link)
    assert "You get this mail" not in item.text
    assert not Letter.objects.exists()
    assert waiting_notices(world.reader) == []


def test_no_input_and_nothing_that_a_job_printed_is_in_a_mail(world: World, payment: Parts, mailbox: Mailbox) -> None:
    fail(world, payment, error=ERROR)
    connection = world.records.database.connect()
    connection.query("UPDATE log_line SET source = 'JOB', message = 'Fatmata Kamara'")
    connection.close()
    tell(world)
    for kind in ("plain", "html"):
        assert "Fatmata" not in mailbox.part(0, kind)


def test_what_comes_from_outside_is_no_html(world: World, mailbox: Mailbox) -> None:
    parts = world.save({"kind": "manual"}, [{}], name="Pay <b>now</b>")
    fail(world, parts, error={"name": "Error", "message": "<script>alert(1)</script>\nBcc: x@y"})
    tell(world)
    page = mailbox.part(0, "html")
    assert "<script>" not in page
    assert "Pay &lt;b&gt;now&lt;/b&gt;" in page
    assert mailbox.letters[0]["bcc"] is None


def test_owners_and_admins_are_told_and_nobody_else(world: World, payment: Parts, mailbox: Mailbox) -> None:
    for role in ("admin", "editor", "viewer"):
        world.member(f"{role}@kivuko.example", role)
    fail(world, payment)
    tell(world)
    assert [letter["to"] for letter in mailbox.letters] == ["owner@kivuko.example", "admin@kivuko.example"]


def test_a_success_tells_nobody(world: World, payment: Parts, mailbox: Mailbox) -> None:
    start(world, payment)
    world.work()
    tell(world)
    assert mailbox.letters == []


def test_each_failure_is_told_once_also_when_the_server_died_in_between(world: World, payment: Parts, mailbox: Mailbox) -> None:
    fail(world, payment)
    notices = waiting_notices(world.reader)
    Teller(world.records).work()
    connection = world.records.database.connect()
    connection.begin()
    connection.write(notices)
    connection.commit()
    connection.close()
    tell(world)
    assert len(mailbox.letters) == 1
    assert Notification.objects.count() == 1


@pytest.mark.parametrize(
    ("notify", "caught", "told"),
    [("each", True, 1), ("unhandled", True, 0), ("unhandled", False, 1), ("digest", False, 0), ("never", False, 0)],
    ids=["each", "handled", "unhandled", "digest", "never"],
)
def test_a_job_says_when_people_are_told(world: World, mailbox: Mailbox, notify: str, caught: bool, told: int) -> None:
    edges = [(0, 1, "on_job_failure")] if caught else []
    parts = world.save({"kind": "manual"}, [{"notify": notify}, *([{}] if caught else [])], edges=edges)
    start(world, parts)
    hand = world.claim()
    assert hand is not None
    hand.fail_with_edge(parts.jobs[1] if caught else None)
    tell(world)
    assert len(mailbox.letters) == told
    assert Notification.objects.count() == (1 if notify == "digest" else told)


def test_a_catch_trigger_that_fails_tells_of_itself(world: World, mailbox: Mailbox) -> None:
    parts = world.save({"kind": "manual"}, [{"notify": "unhandled", "name": "Payment"}])
    world.save({"kind": "failure", "source_job_id": str(parts.jobs[0])}, [{"name": "Catch"}], name="Rescue")
    fail(world, parts)
    tell(world)
    assert [letter["subject"] for letter in mailbox.letters] == ['"Rescue" (clinic) failed: Catch']


def test_a_lost_attempt_is_told_of_once(world: World, payment: Parts, mailbox: Mailbox) -> None:
    start(world, payment)
    hand = world.claim()
    assert hand is not None
    world.do(Abandon(hand.attempt_id, hand.number))
    tell(world)
    (letter,) = mailbox.letters
    assert letter["subject"] == '"Referrals" (clinic): the worker of an attempt was lost'
    assert f"/attempts/{hand.attempt_id}" in mailbox.part(0, "plain")
    assert "It is being tried again by itself." in mailbox.part(0, "plain") or "before you try it again" in mailbox.part(0, "plain")


def test_a_chain_that_was_stopped_is_told_of(world: World, payment: Parts, mailbox: Mailbox) -> None:
    start(world, payment)
    world.work()
    connection = world.records.database.connect()
    connection.begin()
    connection.write([Notice(new_id(), world.project_id, NoticeKind.CHAIN_TOO_DEEP, world.rows(Run)[0].id)])
    connection.commit()
    connection.close()
    tell(world)
    assert "more than 25 times" in mailbox.part(0, "plain")


def test_what_is_gone_is_told_of_no_more(world: World, payment: Parts, mailbox: Mailbox) -> None:
    fail(world, payment)
    connection = world.records.database.connect()
    connection.query("DELETE FROM attempt")
    connection.close()
    tell(world)
    assert mailbox.letters == []
    assert waiting_notices(world.reader) == []


def test_without_a_mail_server_it_is_in_the_app_and_in_the_log(world: World, payment: Parts) -> None:
    fail(world, payment)
    with capture_logs() as logs:
        tell(world)
    assert [(entry["event"], entry["mail"]) for entry in logs] == [("people_told", "mail is not set up")]
    assert Notification.objects.filter(user_id=world.owner.id).count() == 1
    assert not Letter.objects.exists()


def test_a_mail_server_that_is_away_gets_the_letter_later(world: World, payment: Parts, mailbox: Mailbox) -> None:
    mailbox.answer = "451 come back later"
    fail(world, payment)
    tell(world)
    letter = Letter.objects.get()
    assert (letter.tries, letter.given_up_at) == (1, None)
    assert "451" in letter.last_error
    Postman().work()
    assert Letter.objects.get().tries == 1
    mailbox.answer = "250 OK"
    later = timezone.now() + timedelta(minutes=2)
    Postman(now=lambda: later).work()
    assert len(mailbox.letters) == 1
    assert mailbox.letters[0]["message-id"] == f"<{letter.id}@kivuko.example>"
    assert not Letter.objects.exists()


def test_an_address_that_is_refused_for_good_is_given_up(world: World, payment: Parts, mailbox: Mailbox) -> None:
    mailbox.refused.add("owner@kivuko.example")
    world.member("admin@kivuko.example", "admin")
    fail(world, payment)
    tell(world)
    assert [letter["to"] for letter in mailbox.letters] == ["admin@kivuko.example"]
    assert Letter.objects.get().given_up_at is not None


def test_pauses_grow_and_end(world: World) -> None:
    pauses = [pause_after(tries) for tries in range(1, MOST_TRIES)]
    assert pauses[:3] == [timedelta(minutes=1), timedelta(minutes=2), timedelta(minutes=4)]
    assert pauses == sorted(pauses)
    assert timedelta(days=1) < sum(pauses, timedelta()) < timedelta(days=2)


def test_a_letter_is_given_up_after_the_last_try(world: World, mailbox: Mailbox) -> None:
    mailbox.answer = "451 come back later"
    Letter.objects.create(recipient="a@b.example", subject="s", text="t", html="h", next_try_at=timezone.now(), tries=MOST_TRIES - 1)
    Postman().work()
    assert Letter.objects.get().given_up_at is not None


def test_a_person_reads_what_is_theirs(world: World, payment: Parts) -> None:
    fail(world, payment)
    fail(world, payment)
    tell(world)
    oldest, newest = Notification.objects.filter(user_id=world.owner.id).order_by("id")
    first = read(newest.id, world.owner.id).read_at
    assert first is not None
    assert read(newest.id, world.owner.id).read_at == first
    assert list(Notification.objects.filter(user_id=world.owner.id, read_at__isnull=True)) == [oldest]
    with pytest.raises(ObjectMissing):
        read(newest.id, new_id())
