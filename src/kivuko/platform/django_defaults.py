"""What Django is told once for all; ``settings.setup`` adds what differs from one installation to the next.

Also what mypy's Django plugin reads (``django_settings_module``).
"""

from __future__ import annotations

__all__ = ["APPS", "as_settings"]

APPS = (
    "django.contrib.sessions",
    "kivuko.platform.accounts",
    "kivuko.platform.projects",
    "kivuko.platform.workflows",
    "kivuko.platform.inbox",
    "kivuko.platform.credentials",
    "kivuko.platform.history",
    "kivuko.platform.audit",
    "kivuko.platform.api",
    "kivuko.platform.schedules",
    "kivuko.platform.notifications",
    "kivuko.platform.operations",
)
"""One app a noun: a feature goes with its folder and its line here."""

MIDDLEWARE: tuple[str, ...] = (
    "kivuko.platform.api.middleware.ApiConventions",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
)

INSTALLED_APPS = APPS
ROOT_URLCONF = "kivuko.platform.addresses"
DATABASES: dict[str, dict[str, object]] = {}
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ("kivuko.platform.accounts.passwords.PasswordBackend",)
PASSWORD_HASHERS = ("kivuko.platform.accounts.passwords.Argon2Owasp", "django.contrib.auth.hashers.BCryptPasswordHasher")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
APPEND_SLASH = False
USE_TZ = True
TIME_ZONE = "UTC"
LOGGING_CONFIG: str | None = None
SESSION_COOKIE_AGE = 60 * 24 * 3600
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_HTTPONLY = True
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_SERIALIZER = "django.contrib.sessions.serializers.JSONSerializer"
DATA_UPLOAD_MAX_MEMORY_SIZE: int | None = None
DEBUG = False
KIVUKO_PUBLIC_URL = ""
"""The public address without a slash at its end."""


def as_settings() -> dict[str, object]:
    """All of them, by name."""
    return {name: value for name, value in globals().items() if name.isupper() and name != "APPS"}
