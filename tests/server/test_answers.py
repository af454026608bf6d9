"""What those outside hear of what went wrong inside."""

from __future__ import annotations

import json

from kivuko.errors import RecordsUnavailable
from kivuko.server.answers import problem
from kivuko.server.lanes.ingest.webhook_refusal import webhook_refusal


def _caused() -> RecordsUnavailable:
    try:
        raise OSError('connection to server at "10.1.2.3", port 5432 failed')
    except OSError as cause:
        error = RecordsUnavailable(f"PostgreSQL cannot be reached: {cause}")
        error.__cause__ = cause
        return error


def test_what_a_driver_says_is_not_told_to_senders() -> None:
    told = json.loads(problem(_caused(), "r").body)
    assert (told["code"], told["detail"]) == ("database_unavailable", "the database cannot be used just now")
    assert "disk" not in told["action"]
    assert "10.1.2.3" not in bytes(webhook_refusal(_caused(), "r").body).decode()


def test_what_kivuko_says_itself_is_told() -> None:
    unknown = RecordsUnavailable("whether the message was taken is not known")
    assert json.loads(problem(unknown, "r").body)["detail"] == "whether the message was taken is not known"
