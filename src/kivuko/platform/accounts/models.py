"""Tables of people."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower

from kivuko.platform.ids import IdField
from kivuko.platform.projects.models import Project
from kivuko.records import new_id

__all__ = ["ROLES", "ApiToken", "Membership", "SignInLink", "User"]

ROLES = ("owner", "admin", "editor", "viewer")
"""From the one who may do everything to the one who may look."""


class Users(BaseUserManager["User"]):
    """Finds users by e-mail address, whatever its capitals."""

    def get_by_natural_key(self, username: str | None) -> User:
        """The user with this address. Raises User.DoesNotExist."""
        return self.get(email__iexact=username)


class User(AbstractBaseUser):
    """A person who can sign in. ``is_superuser``: runs the installation; says nothing about projects."""

    id = IdField(primary_key=True, default=new_id, editable=False)
    email = models.CharField(max_length=160)
    name = models.CharField(max_length=160, default="", blank=True)
    is_superuser = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    inserted_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects = Users()

    class Meta:
        """One user an address."""

        constraints = (models.UniqueConstraint(Lower("email"), name="user_email"),)

    def __str__(self) -> str:
        return self.email


class Membership(models.Model):
    """What a user is in a project: one of ``ROLES``."""

    id = IdField(primary_key=True, default=new_id, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10)
    inserted_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """One role a person; one owner a project."""

        constraints = (
            models.UniqueConstraint(fields=("project", "user"), name="membership_once"),
            models.UniqueConstraint(fields=("project",), condition=models.Q(role="owner"), name="membership_one_owner"),
            models.CheckConstraint(condition=models.Q(role__in=ROLES), name="membership_role"),
        )


class ApiToken(models.Model):
    """A token for the API, as its SHA-256. ``prefix`` is its beginning, for people to tell their tokens apart."""

    id = IdField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=100, default="", blank=True)
    prefix = models.CharField(max_length=12)
    digest = models.BinaryField(max_length=32, unique=True)
    expires_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    inserted_at = models.DateTimeField(auto_now_add=True)


class SignInLink(models.Model):
    """A link that signs its user in once, as the SHA-256 of its secret."""

    id = IdField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="sign_in_links")
    digest = models.BinaryField(max_length=32, unique=True)
    expires_at = models.DateTimeField()
