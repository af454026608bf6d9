"""What a server stands on, laid before it serves: its secrets, the platform with an up-to-date database, the records."""

from __future__ import annotations

from dataclasses import dataclass

from kivuko.platform import PlatformSettings, migrate, setup
from kivuko.platform.limits import tell_limits_to
from kivuko.platform.rules import PlatformRules
from kivuko.platform.settings import records_database
from kivuko.platform.shared_secrets import agree_on_keys, agree_on_secrets
from kivuko.platform.workflows.telling import tell_workflows_to
from kivuko.records import ObjectFolder, Records
from kivuko.server.changes import Changes
from kivuko.server.datafolder import DataFolder
from kivuko.server.keyring import Keyring, keyring
from kivuko.server.mail import mail_settings
from kivuko.server.project_file import ServedProject
from kivuko.server.settings import ServerSettings

__all__ = ["Foundations", "lay_foundations"]


@dataclass(frozen=True)
class Foundations:
    """``public_url`` has no slash at its end. ``served`` is the project of ``kivuko serve project.yaml``."""

    settings: ServerSettings
    folder: DataFolder
    public_url: str
    keys: Keyring
    rules: PlatformRules
    records: Records
    changes: Changes
    served: ServedProject | None = None

    @property
    def on_sqlite(self) -> bool:
        """Whether this process is the only one that works with the database."""
        return self.records.database.dialect == "sqlite"

    def close(self) -> None:
        """Writes what waits and closes the database."""
        self.records.close()


def lay_foundations(settings: ServerSettings, folder: DataFolder, public_url: str) -> Foundations:
    """Makes secrets that are missing and brings the database up to date. Raises InputError of several kinds, RecordsUnavailable."""
    keys = keyring(settings, folder.secrets)
    setup(
        PlatformSettings(
            data_folder=folder.path,
            database=settings.database_url,
            secret_key=keys.secret_key,
            encryption_keys=keys.encryption_keys,
            public_url=public_url,
            # Without a public address nobody has said which names are this server's.
            allowed_hosts=() if settings.url else ("*",),
            mail=mail_settings(settings),
        )
    )
    migrate()
    if records_database().dialect == "postgresql":
        # Elsewhere there is one server, and its secrets lie beside its database.
        agree_on_keys(keys.encryption_keys)
        agree_on_secrets(keys.shared)
    changes, rules = Changes(), PlatformRules()
    records = Records(records_database(), ObjectFolder(folder.objects), rules=rules, on_change=changes.heard)
    tell_limits_to(records.submit)
    tell_workflows_to(changes.heard)
    return Foundations(settings, folder, public_url, keys, rules, records, changes)
