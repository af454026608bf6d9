"""The demo: five people are registered at a clinic. Kivuko carries their forms to the records system, one fails, somebody mends it.

Start it with `make demo`; with `KEEP=1` the server stays up to look around. Exit code 0 when the story went as told.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from demo.clinic.platform import ADMINISTRATOR, HTTP, Api, Platform, Refused, set_up, until
from demo.clinic.servers import FormSystem, Mailbox, RecordsSystem
from demo.installed import install_adaptors, kivuko_command
from demo.screen import Screen

HERE = Path(__file__).resolve().parent
KEPT = HERE.parent / "output" / "clinic"
PORT = 4000
_RUNS_S, _MAIL_S = 120, 60


def main() -> int:
    """Tell the story. The exit code: 0, or 1 when something went another way."""
    screen = Screen()
    kivuko = kivuko_command(screen)
    if kivuko is None:
        return 1
    screen.title(
        "Kivuko: every message crosses",
        "A clinic registers people with a form on a phone. Its records system should know them as patients. Kivuko stands between the "
        "two: it keeps every message, runs a job for it, and tells somebody when a job fails. Everything runs on this machine.",
    )
    keep = bool(os.environ.get("KEEP"))
    with tempfile.TemporaryDirectory(prefix="kivuko-demo-") as spare, RecordsSystem() as records, Mailbox() as mailbox:
        shutil.rmtree(KEPT, ignore_errors=True)
        screen.heading("The systems")
        screen.fact("records system", records.url, "stores patients, one a case")
        screen.fact("mail server", mailbox.url.partition("?")[0], f"{ADMINISTRATOR} reads here")
        if not install_adaptors(kivuko, (HTTP,), screen):
            return 1
        try:
            with Platform(kivuko, KEPT if keep else Path(spare), port=PORT if keep else 0, mail_url=mailbox.url) as platform:
                return Story(screen, platform, records, mailbox).tell(keep=keep)
        except (RuntimeError, Refused) as problem:
            screen.error("The demo cannot go on. This is what Kivuko said:")
            screen.text(str(problem))
            return 1


class Story:
    """What happens, in order, and what is seen of it."""

    def __init__(self, screen: Screen, platform: Platform, records: RecordsSystem, mailbox: Mailbox) -> None:
        self._screen, self._platform, self._records, self._mailbox = screen, platform, records, mailbox
        self._api: Api = platform.api
        self._project = ""
        self._inbox = ""

    def tell(self, *, keep: bool) -> int:
        """Tells all of it; the exit code."""
        self._screen.fact("Kivuko", self._api.url, "one process, one SQLite file")
        self._project, self._inbox = set_up(self._api, self._records.url, self._records.username, self._records.password)
        self._screen.fact("project", "clinic-demo", "jobs: Register patient (each form), Weekly report (Fridays 23:00)")
        self._arrive()
        failed = self._look()
        if failed is None or not self._told():
            return 1
        self._mend(*failed)
        went_well = self._mended(failed[0]["id"])
        self._next(keep=keep)
        if keep:
            self._stay()
        return 0 if went_well else 1

    def _arrive(self) -> None:
        system = FormSystem(HERE / "cases.json")
        self._screen.heading("Five forms arrive")
        for form in system.forms:
            status, answer = system.submit(form, self._inbox)
            who = f"{form['form']['given_name']} {form['form']['surname']}".strip()
            self._screen.fact(form["form"]["case"]["@case_id"], who, f"{status}: on disk, goes to {', '.join(answer['data'])}")
        until(lambda: all(each["state"] != "in progress" for message in self._messages() for each in message["job_states"]), _RUNS_S)

    def _messages(self) -> list[dict[str, Any]]:
        """The inbox, oldest first."""
        return list(reversed(self._api.get(f"/projects/{self._project}/messages")["items"]))

    def _look(self) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Shows the inbox; gives the message that failed and its Run."""
        messages = self._messages()
        self._screen.heading("The inbox")
        self._show(messages)
        failed = [message for message in messages if _states(message) == ["failure"]]
        good = len(messages) - len(failed)
        self._screen.share(
            len(self._records.patients), len(failed), f"{len(self._records.patients)} patients created, {len(failed)} failed"
        )
        if (good, len(failed), len(self._records.patients)) != (4, 1, 4):
            self._screen.error("Four of five should have become patients. What each run said is in its log.")
            return None
        run = self._api.get(f"/runs/{failed[0]['job_states'][0]['run_id']}")
        error = run["error"]
        self._screen.text(f"Why: {error['message']}, says line {error['line']} of the job. The other four did not have to wait for it.")
        return failed[0], run

    def _show(self, messages: Sequence[dict[str, Any]]) -> None:
        rows = [
            {"received": message["received_at"][11:19], "case": self._case(message), "job-states": ", ".join(_words(message))}
            for message in messages
        ]
        self._screen.table(rows, {"received": 12, "case": 10, "job-states": 0})

    def _case(self, message: dict[str, Any]) -> str:
        return str(self._api.get(f"/messages/{message['id']}/body")["form"]["case"]["@case_id"])

    def _told(self) -> bool:
        self._screen.heading("Somebody is told")
        mail = self._mailbox.wait(_MAIL_S)
        if mail is None:
            self._screen.error(f"No mail came to {ADMINISTRATOR} within {_MAIL_S} s.")
            return False
        self._screen.fact("to", str(mail["to"]))
        self._screen.fact("subject", str(mail["subject"]))
        self._screen.text(_body(mail))
        return True

    def _mend(self, message: dict[str, Any], run: dict[str, Any]) -> None:
        """Writes the surname into a new version of the message and runs the job again, once ten seconds have passed."""
        self._screen.heading("Amina mends the message")
        body = self._api.get(f"/messages/{message['id']}/body")
        body["form"]["surname"] = "Koroma"
        version = self._api.post(f"/messages/{message['id']}/versions", {"body": body})["version"]
        self._screen.fact("version", str(version), "surname Koroma; version 1 stays as it came")
        while True:
            try:
                self._api.post(f"/messages/{message['id']}/runs", {"job_id": run["job_id"]})
                break
            except Refused as refused:
                if refused.problem["code"] != "too_soon":
                    raise
                wait_s = refused.problem["retry_after_s"]
                self._screen.fact("run again", "refused", f"a message runs through a job once in 10 s: {wait_s} s to go")
                time.sleep(wait_s)
        self._screen.fact("run again", "accepted")

    def _mended(self, message_id: str) -> bool:
        """Shows the inbox again; whether all is well."""
        until(lambda: _states(self._api.get(f"/messages/{message_id}")) == ["success"], _RUNS_S)
        self._screen.heading("The inbox, afterwards")
        self._show(self._messages())
        runs = self._api.get(f"/messages/{message_id}/runs")["items"]
        told = ", then ".join(f"{run['job_name']} ({run['state']} - run {run['run_number']})" for run in reversed(runs))
        patients = len(self._records.patients)
        self._screen.share(patients, 0, f"{patients} patients, none twice")
        self._screen.text(f"The message remembers both runs: {told}.")
        return patients == 5 and len(runs) == 2

    def _next(self, *, keep: bool) -> None:
        self._screen.heading("Look at next")
        self._screen.choice("the two jobs", "demo/clinic/jobs/register.js  report.js")
        self._screen.choice("what an adaptor can do", "kivuko docs http post")
        self._screen.choice("the same from the command line", "make demo STORY=registrations")
        if not keep:
            self._screen.choice("keep the server to look around", "make demo KEEP=1")

    def _stay(self) -> None:
        self._screen.heading("The server goes on: Ctrl-C ends it")
        self._screen.choice("the API, to read and try", f"{self._api.url}/api/v1/docs")
        self._screen.choice("the token for it", self._api.token)
        self._screen.choice("send a form of your own", f"curl -d @form.json {self._inbox}")
        try:
            self._platform.wait()
        except KeyboardInterrupt:
            self._screen.text("Until next time.")


def _states(message: dict[str, Any]) -> list[str]:
    return [each["state"] for each in message["job_states"]]


def _words(message: dict[str, Any]) -> list[str]:
    return [f"{each['job_name']} ({each['state']} - run {each['run_number']})" for each in message["job_states"]]


def _body(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    return part.get_content().strip() if part else ""


if __name__ == "__main__":
    sys.exit(main())
