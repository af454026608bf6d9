"""What Django is told once for all; ``settings.setup`` adds what differs from one installation to the next."""

from __future__ import annotations

from collections.abc import Mapping

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
)
"""One app a noun: a feature goes with its folder and its line here."""

MIDDLEWARE: tuple[str, ...] = (
    "kivuko.platform.api.middleware.ApiConventions",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
)


def as_settings() -> Mapping[str, object]:
    """Django's settings, by name."""
    return {
        "INSTALLED_APPS": APPS,
        "MIDDLEWARE": MIDDLEWARE,
        "ROOT_URLCONF": "kivuko.platform.addresses",
        "DATABASES": {},
        "AUTH_USER_MODEL": "accounts.User",
        "AUTHENTICATION_BACKENDS": ("kivuko.platform.accounts.passwords.PasswordBackend",),
        "PASSWORD_HASHERS": (
            "kivuko.platform.accounts.passwords.Argon2Owasp",
            "django.contrib.auth.hashers.BCryptPasswordHasher",
        ),
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        "APPEND_SLASH": False,
        "USE_TZ": True,
        "TIME_ZONE": "UTC",
        "LOGGING_CONFIG": None,
        "SESSION_COOKIE_AGE": 60 * 24 * 3600,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_ENGINE": "django.contrib.sessions.backends.db",
        "SESSION_SERIALIZER": "django.contrib.sessions.serializers.JSONSerializer",
        "DATA_UPLOAD_MAX_MEMORY_SIZE": None,
        "DEBUG": False,
    }
