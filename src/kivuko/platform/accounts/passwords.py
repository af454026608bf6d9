"""Passwords: how they are hashed, and who signs in with one."""

from __future__ import annotations

from django.contrib.auth.hashers import Argon2PasswordHasher, make_password
from django.http import HttpRequest

from kivuko.platform.accounts.models import User
from kivuko.platform.ids import read_id

__all__ = ["SHORTEST_PASSWORD", "Argon2Owasp", "PasswordBackend"]

SHORTEST_PASSWORD = 12


class Argon2Owasp(Argon2PasswordHasher):
    """Argon2id with the memory that OWASP recommends; Django's default takes 100 MB a sign-in."""

    time_cost = 2
    memory_cost = 19_456
    parallelism = 1


class PasswordBackend:
    """Signs in by e-mail address and password; what ``django.contrib.auth`` calls a backend."""

    def authenticate(self, request: HttpRequest | None, email: str = "", password: str = "") -> User | None:
        """The user, when the password is theirs and they may sign in. Takes as long for an address that nobody has."""
        user = User.objects.filter(email__iexact=email).first()
        if user is None:
            make_password(password)
            return None
        return user if user.check_password(password) and user.is_active else None

    def get_user(self, user_id: object) -> User | None:
        """The user of a session."""
        found = read_id(user_id)
        return User.objects.filter(id=found, is_active=True).first() if found else None
