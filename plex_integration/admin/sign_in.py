"""Sign in to Plex from the admin: a code, entered at plex.tv, becomes the connection's token.

The operator's session holds the code's number, so any worker can check what another one started.
Each reload of the page checks it at plex.tv, at most once in `CHECK_SECONDS`.
"""

import time
from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from plex_integration.configuration.models import PlexConnection
from plex_integration.plex import account
from plex_integration.plex.account import PinExpired, PlexTvRefused, PlexTvUnavailable

CHECK_SECONDS = 4.0
RELOAD_SECONDS = 5

_PIN = "plex_integration.sign_in"

UNAVAILABLE = "plex.tv is unavailable."
REFUSED = "plex.tv refused the sign-in. Try again later, or enter a token."
EXPIRED = "The code expired before it was entered. Start again."
ADDRESS_CHANGED = "The address of Plex was changed during the sign-in. Start again."
NO_ADDRESS = "Enter the address of Plex first."


class SignInFailed(Exception):
    """The sign-in cannot continue. Its text is the message for the operator."""


def start(request: HttpRequest) -> str | None:
    """Request a code from plex.tv and store it in the session; return why that failed."""
    row = PlexConnection.objects.first()
    if row is None:
        return NO_ADDRESS
    try:
        pin = account.create_pin()
    except PlexTvUnavailable:
        return UNAVAILABLE
    except PlexTvRefused:
        return REFUSED
    now = time.time()
    request.session[_PIN] = {
        "id": pin.id,
        "code": pin.code,
        "expires": now + pin.seconds,
        "checked": now,
        "url": row.url,
    }
    return None


def cancel(request: HttpRequest) -> None:
    """Forget the code; at plex.tv it expires by itself."""
    request.session.pop(_PIN, None)


def page(request: HttpRequest, admin: "ModelAdmin[Any]", back: str) -> HttpResponse | None:
    """Return the page with the code; None if the sign-in has just succeeded.

    Redirects to `back` if the sign-in has failed, or none has been started.
    """
    pin = request.session.get(_PIN)
    if pin is None:
        return HttpResponseRedirect(back)
    problem = ""
    try:
        if token := _checked_token(request, pin):
            _save_token(request, admin, token, pin["url"])
            return None
    except PlexTvUnavailable:
        problem = UNAVAILABLE
    except SignInFailed as failure:
        request.session.pop(_PIN, None)
        messages.error(request, str(failure))
        return HttpResponseRedirect(back)
    return _waiting_page(request, admin, pin, problem, back)


def _checked_token(request: HttpRequest, pin: dict[str, Any]) -> str | None:
    """Return the token if the code has been entered. Raises PlexTvUnavailable or SignInFailed."""
    now = time.time()
    if now >= pin["expires"]:
        raise SignInFailed(EXPIRED)
    if now - pin["checked"] < CHECK_SECONDS:
        return None
    request.session[_PIN] = pin | {"checked": now}
    try:
        return account.token_for_pin(pin["id"])
    except PinExpired:
        raise SignInFailed(EXPIRED) from None
    except PlexTvRefused:
        raise SignInFailed(REFUSED) from None


def _save_token(request: HttpRequest, admin: "ModelAdmin[Any]", token: str, url: str) -> None:
    """Save the token of the address that the sign-in was started for. Raises SignInFailed."""
    request.session.pop(_PIN, None)
    row = PlexConnection.objects.first()
    if row is None or row.url != url:
        # The token must not be sent to an address that the operator did not sign in for.
        raise SignInFailed(ADDRESS_CHANGED)
    row.token = token
    row.save()
    admin.log_change(request, row, "Signed in to Plex. Changed Token.")


def _waiting_page(
    request: HttpRequest, admin: "ModelAdmin[Any]", pin: dict[str, Any], problem: str, back: str
) -> HttpResponse:
    return TemplateResponse(
        request,
        "admin/plex_integration/plexconnection/sign_in.html",
        {
            **admin.admin_site.each_context(request),
            "title": "Sign in to Plex",
            "opts": admin.opts,
            "code": pin["code"],
            "link": account.link_url(),
            "minutes": max(1, round((pin["expires"] - time.time()) / 60)),
            "problem": problem,
            "reload_seconds": RELOAD_SECONDS,
            "back": back,
            "here": reverse("admin:plex_integration_plexconnection_sign_in"),
        },
    )
