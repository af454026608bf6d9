"""Whether the input of something that is to be started is still there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from kivuko.errors import BodyWiped, RecordMissing
from kivuko.records.database import Connection
from kivuko.records.ids import Id
from kivuko.records.rows import Message
from kivuko.records.starting import Input

__all__ = ["Inputs"]


class Inputs:
    """What is left of messages' versions and dataclips. ``messages`` are locked rows, for their newest version."""

    def __init__(self, connection: Connection, given: Iterable[Input], messages: dict[Id, Message]) -> None:
        asked = list(given)
        message_ids = sorted({each.message_id for each in asked if each.message_id})
        dataclip_ids = sorted({each.dataclip_id for each in asked if each.dataclip_id})
        versions = connection.fetch("versions", ids=message_ids) if message_ids else []
        dataclips = connection.fetch("dataclips_left", ids=dataclip_ids) if dataclip_ids else []
        self._messages = messages
        self._versions = {(Id(message), number): wiped is None for message, number, wiped in versions}
        self._dataclips = {Id(found): wiped is None for found, wiped in dataclips}

    def checked(self, given: Input, *, coming: Id | None = None) -> Input:
        """The input with its version filled in. ``coming`` is a dataclip that is about to be stored.

        A dataclip counts before the message it comes from. Raises RecordMissing, or BodyWiped: a wiped input is never taken as empty.
        """
        if given.message_id:
            message = self._messages.get(given.message_id)
            given = replace(given, message_version=given.message_version or (message.newest_version if message else 0))
        if given.dataclip_id:
            left = given.dataclip_id == coming or self._dataclips.get(given.dataclip_id)
            _check(left, f"dataclip {given.dataclip_id}")
        elif given.message_id:
            left = self._versions.get((given.message_id, given.message_version or 0))
            _check(left, f"version {given.message_version} of message {given.message_id}")
        return given


def _check(left: bool | None, name: str) -> None:
    if left is None:
        raise RecordMissing(f"{name} does not exist")
    if not left:
        raise BodyWiped(f"{name} was wiped")
