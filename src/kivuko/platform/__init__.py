"""People, permissions, projects, workflows, credentials: Django, one app a noun, configured in code.

Importing this package puts pysqlite3 in the place of ``sqlite3``, configures Django with what never differs and loads its apps, so that
models can be imported at the top of any module below. ``setup`` then says where the database is and which secrets are used; ``migrate``
brings the database up to date. The packages that are Django apps export nothing: their functions are in their modules.
"""

from __future__ import annotations

import sys

import django
import pysqlite3.dbapi2  # type: ignore[import-untyped]
from django.conf import settings as django_settings

from kivuko.platform import django_defaults

__all__ = ["MailSettings", "PlatformSettings", "migrate", "setup"]

# Django's backend imports ``sqlite3``; Debian's can corrupt a database (kivuko.records.sqlite), and one process must not use two SQLites on
# one file.
sys.modules["sqlite3"] = pysqlite3
sys.modules["sqlite3.dbapi2"] = pysqlite3.dbapi2
if not django_settings.configured:
    django_settings.configure(**django_defaults.as_settings())
django.setup()

from kivuko.platform.migrating import migrate  # noqa: E402  # needs the apps
from kivuko.platform.settings import MailSettings, PlatformSettings, setup  # noqa: E402
