"""Sign in to Plex from the admin: a code, entered at plex.tv, becomes the token of an account.

The operator then chooses one of the account's servers (`servers`). The session holds the code's
number, so any worker can check what another one started. Each reload of the page checks it at
plex.tv, at most once in `CHECK_SECONDS`.
"""

import time
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from plex_integration.admin import account
from plex_integration.admin.single_row import SingleRowAdmin
from plex_integration.errors import PlexApiError, PlexTvUnavailable
from plex_integration.plex.plextv import pins
from plex_integration.plex.plextv.http import Client, PlexTvRefused
from plex_integration.plex.plextv.pins import PinExpired

CHECK_SECONDS = 4.0
RELOAD_SECONDS = 5

_PIN = "plex_integration.sign_in"

UNAVAILABLE = "plex.tv is unavailable."
REFUSED = "plex.tv refused the sign-in. Try again later, or enter a token."
EXPIRED = "The code expired before it was entered. Start again."


class SignInFailed(Exception):
    """The sign-in cannot continue. Its text is the message for the operator."""


def start(request: HttpRequest) -> str | None:
    """Request a code from plex.tv and store it in the session; return why that failed."""
    account.forget(request)
    try:
        pin = pins.create_pin(Client.OPERATOR)
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
    }
    return None


def cancel(request: HttpRequest) -> None:
    """Forget the code; at plex.tv it expires by itself."""
    request.session.pop(_PIN, None)


def page(request: HttpRequest, admin: SingleRowAdmin) -> HttpResponse:
    """Return the page with the code; redirect to the account's servers once it has been entered.

    Redirects to the connection if the sign-in has failed, or none has been started.
    """
    pin = request.session.get(_PIN)
    if pin is None:
        return HttpResponseRedirect(_servers() if account.signed_in(request) else admin.page())
    problem = ""
    try:
        if token := _checked_token(request, pin):
            request.session.pop(_PIN, None)
            account.remember(request, token)
            return HttpResponseRedirect(_servers())
    except PlexTvUnavailable:
        problem = UNAVAILABLE
    except SignInFailed as failure:
        request.session.pop(_PIN, None)
        messages.error(request, str(failure))
        return HttpResponseRedirect(admin.page())
    return _waiting_page(request, admin, pin, problem)


def _servers() -> str:
    return reverse("admin:plex_integration_plexconnection_servers")


def _checked_token(request: HttpRequest, pin: dict[str, Any]) -> str | None:
    """Return the token if the code has been entered. Raises PlexTvUnavailable or SignInFailed."""
    now = time.time()
    if now >= pin["expires"]:
        raise SignInFailed(EXPIRED)
    if now - pin["checked"] < CHECK_SECONDS:
        return None
    request.session[_PIN] = pin | {"checked": now}
    try:
        return pins.token_for_pin(pin["id"], Client.OPERATOR)
    except PinExpired:
        raise SignInFailed(EXPIRED) from None
    except PlexTvRefused:
        raise SignInFailed(REFUSED) from None
    except PlexApiError as error:
        raise SignInFailed(str(error.detail)) from None


def _waiting_page(
    request: HttpRequest, admin: SingleRowAdmin, pin: dict[str, Any], problem: str
) -> HttpResponse:
    return TemplateResponse(
        request,
        "admin/plex_integration/plexconnection/sign_in.html",
        {
            **admin.admin_site.each_context(request),
            "title": "Sign in to Plex",
            "opts": admin.opts,
            "code": pin["code"],
            "link": pins.link_url(),
            "minutes": max(1, round((pin["expires"] - time.time()) / 60)),
            "problem": problem,
            "reload_seconds": RELOAD_SECONDS,
            "back": admin.page(),
            "here": reverse("admin:plex_integration_plexconnection_sign_in"),
        },
    )
