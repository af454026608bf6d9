"""Which paths Django answers; lanes of the server take theirs before it is asked."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from kivuko.platform.accounts.signing_in import sign_in

__all__ = ["urlpatterns"]

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/", include("kivuko.platform.api.urls")),
    path("sign-in", sign_in),
]
