"""The page behind the first administrator's link, and signing in by password: what a person needs before there is a browser app."""

from __future__ import annotations

from django.contrib.auth import authenticate, login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import get_token
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_http_methods

from kivuko.platform.accounts.administrator import redeem_sign_in_link
from kivuko.platform.accounts.models import User
from kivuko.platform.accounts.tries import SignInTries
from kivuko.platform.page import page, page_policy

__all__ = ["sign_in"]

AFTERWARDS = "/api/v1/docs"
_FORM = """{}<form method="post" action="/sign-in"><input type="hidden" name="csrfmiddlewaretoken" value="{}">{}
<p><button type="submit">Sign in</button></p></form>"""
_BY_PASSWORD = """<p><label for="email">E-mail address</label>
<input id="email" name="email" type="email" autocomplete="username" required></p>
<p><label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required></p>"""


_tries = SignInTries()


@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """``/sign-in?key=…``: a page with a button, because whoever looks at a link before its reader does must not use it up; without a key,
    a page for address and password. Who is signed in goes on to the API's documentation.
    """
    if request.method != "POST":
        return _page(request, request.GET.get("key", ""))
    key = request.POST.get("key", "")
    user, refusal = _by_link(key) if key else _by_password(request)
    if user is None:
        return _page(request, "", refusal)
    login(request, user)
    return HttpResponseRedirect(AFTERWARDS)


def _by_link(key: str) -> tuple[User | None, str]:
    return redeem_sign_in_link(key), "This link was used already, or is older than a day. Sign in with your password."


def _by_password(request: HttpRequest) -> tuple[User | None, str]:
    email, password = request.POST.get("email", "").strip().lower(), request.POST.get("password", "")
    client = str(request.META.get("REMOTE_ADDR") or "")
    if not _tries.take(email, client):
        return None, "There were too many tries. Wait a minute and try again."
    user = authenticate(request, email=email, password=password)
    if not isinstance(user, User):
        return None, "The address or the password is wrong."
    _tries.succeeded(email, client)
    return user, ""


def _page(request: HttpRequest, key: str, refusal: str = "") -> HttpResponse:
    fields = format_html('<input type="hidden" name="key" value="{}">', key) if key else SafeString(_BY_PASSWORD)
    told = format_html('<p role="alert">{}</p>', refusal) if refusal else ""
    body = format_html(_FORM, told, get_token(request), fields)
    answer = HttpResponse(page("Sign in to Kivuko", body), status=403 if refusal else 200)
    answer["Cache-Control"] = "no-store"
    # The key is in the address of this page.
    answer["Referrer-Policy"] = "no-referrer"
    answer["Content-Security-Policy"] = page_policy("'self'")
    answer["X-Content-Type-Options"] = "nosniff"
    return answer
