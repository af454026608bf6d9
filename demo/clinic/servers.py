"""The systems around the clinic's project, on loopback: a form system that sends, a records system that stores, a mailbox."""

from __future__ import annotations

import base64
import email.policy
import json
import socketserver
import threading
import urllib.request
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from demo.loopback import Served, System

__all__ = ["FormSystem", "Mailbox", "RecordsSystem"]


class FormSystem:
    """Sends the forms of ``file`` to an inbox, one by one, as people submit them."""

    def __init__(self, file: Path) -> None:
        self.forms: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))

    def submit(self, form: dict[str, Any], inbox_url: str) -> tuple[int, dict[str, Any]]:
        """HTTP status and body of the inbox's answer."""
        request = urllib.request.Request(inbox_url, json.dumps(form).encode(), {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)


class RecordsSystem(System):
    """Stores patients for whom signs in, and takes the district's reports."""

    username, password = "kivuko", "demo-password"
    authorization = "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()

    def __init__(self) -> None:
        super().__init__()
        self.patients: list[dict[str, Any]] = []
        self.reports: list[dict[str, Any]] = []

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: bytes) -> tuple[int, Any]:
        """The patients; 201 and what was stored; 409 for a case that is a patient already."""
        if (method, path) == ("GET", "/patients"):
            return 200, self.patients
        if (method, path) == ("POST", "/reports"):
            self.reports.append(json.loads(body))
            return 201, self.reports[-1]
        if (method, path) != ("POST", "/patients"):
            return 404, {"error": f"there is nothing at {path}"}
        patient = json.loads(body)
        if any(patient["case"] == known["case"] for known in self.patients):
            return 409, {"error": f"case {patient['case']} is a patient already"}
        self.patients.append({"id": f"P-{len(self.patients) + 1:03}", **patient})
        return 201, self.patients[-1]


class Mailbox(Served):
    """A mail server that keeps what it is given: as much of SMTP as a well-behaved sender needs (RFC 5321)."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self._arrived = threading.Condition()
        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), self._handler())
        server.daemon_threads = True
        super().__init__(server)
        self.url = f"smtp://127.0.0.1:{self.port}?tls=no"

    def wait(self, seconds: float) -> EmailMessage | None:
        """The first mail, if one comes in time."""
        with self._arrived:
            self._arrived.wait_for(lambda: self.mails, seconds)
            return self.mails[0] if self.mails else None

    def _take(self, text: bytes) -> None:
        with self._arrived:
            self.mails.append(email.message_from_bytes(text, policy=email.policy.default))  # type: ignore[arg-type]
            self._arrived.notify_all()

    def _handler(self) -> type[socketserver.BaseRequestHandler]:
        mailbox = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self._say("220 mailbox of the demo")
                while command := self.rfile.readline().strip().upper()[:4]:
                    if command == b"DATA":
                        self._say("354 go on")
                        lines = iter(self.rfile.readline, b".\r\n")
                        mailbox._take(b"".join(line.removeprefix(b".") if line.startswith(b"..") else line for line in lines))
                    self._say("221 bye" if command == b"QUIT" else "250 ok")

            def _say(self, text: str) -> None:
                self.wfile.write(text.encode() + b"\r\n")

        return Handler
