"""Editing a message: the original stays, an edit is a new version (R-048)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kivuko.errors import MoveRefused, RecordMissing, RecordsError
from kivuko.records.database import Connection
from kivuko.records.ids import Id
from kivuko.records.intents import Intent, Transaction
from kivuko.records.rows import Message, MessageVersion

__all__ = ["Edit", "edit"]


@dataclass(frozen=True)
class Edit(Intent[int]):
    """Adds a version. Its number must be one more than the newest the person saw; gives the number."""

    family = "edit"
    rank = 3
    version: MessageVersion

    @property
    def message_id(self) -> Id | None:
        """The message that gets the version."""
        return self.version.message_id

    @property
    def size_bytes(self) -> int:
        """The body."""
        return 512 + len(self.version.body or b"")


def edit(transaction: Transaction, edits: Sequence[Edit]) -> list[int | RecordsError]:
    """Stores versions. Refused with RecordMissing, and with MoveRefused when somebody else has edited meanwhile."""
    connection = transaction.connection
    messages = {row.id: row for row in connection.load(Message, "messages_locked", ids=sorted(transaction.message_ids))}
    return [_edit(transaction, messages.get(each.version.message_id), each.version) for each in edits]


def _edit(transaction: Transaction, message: Message | None, version: MessageVersion) -> int | RecordsError:
    connection = transaction.connection
    if message is None:
        return RecordMissing(f"message {version.message_id} does not exist")
    if version.version == message.newest_version + 1:
        connection.write([version])
        connection.change("message_edited", id=message.id, newest_version=version.version)
        message.newest_version = version.version
        transaction.tell("message", message.project_id, message.id)
        return version.version
    if _stored(connection, version):
        return version.version
    return MoveRefused(
        f"message {message.id} has version {message.newest_version} by now", fix="Look at the newest version and edit that one."
    )


def _stored(connection: Connection, version: MessageVersion) -> bool:
    """Whether an earlier try has written exactly this."""
    found = connection.load(MessageVersion, "version_stored", message_id=version.message_id, version=version.version)
    return found == [version]
