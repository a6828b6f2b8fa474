"""Signing in to Plex from the admin: a code, typed in at plex.tv, becomes the connection's token.

Whoever began keeps the code's number in their session; each reload of the page asks plex.tv, but
not more often than every `ASKED_EVERY` seconds, so any worker can go on where another began.
"""

import time
from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from plex_integration.plex import account
from plex_integration.plex.account import PinEnded, PlexTvAway, PlexTvRefused
from plex_integration.configuration.models import PlexConnection

ASKED_EVERY = 4.0
RELOADED_EVERY = 5

_KEPT = "plex_integration.pin"

AWAY = "plex.tv cannot be reached now."
REFUSED = "plex.tv refuses to sign this service in. Try again later, or enter a token."
ENDED = "The code has expired without being linked. Begin again."
MOVED = "The address of Plex was changed meanwhile. Begin again."
NO_ADDRESS = "Enter Plex's address first."


def begin(request: HttpRequest) -> str | None:
    """Ask plex.tv for a code and keep its number in the session; return why that failed."""
    row = PlexConnection.objects.first()
    if row is None:
        return NO_ADDRESS
    try:
        pin = account.new_pin()
    except PlexTvAway:
        return AWAY
    except PlexTvRefused:
        return REFUSED
    now = time.time()
    request.session[_KEPT] = {
        "id": pin.id,
        "code": pin.code,
        "until": now + pin.seconds,
        "asked": now,
        "url": row.url,
    }
    return None


def page(request: HttpRequest, admin: "ModelAdmin[Any]", back: str) -> HttpResponse | None:
    """Show the code until it is linked or over; None where its token was taken and is in force."""
    kept = request.session.get(_KEPT)
    if kept is None:
        return HttpResponseRedirect(back)
    is_away, failure = False, ENDED if time.time() >= kept["until"] else None
    if not failure and time.time() - kept["asked"] >= ASKED_EVERY:
        request.session[_KEPT] = kept | {"asked": time.time()}
        try:
            if token := account.token_of(kept["id"]):
                del request.session[_KEPT]
                failure = _taken(request, admin, token, kept["url"])
                if failure is None:
                    return None
        except PlexTvAway:
            is_away = True
        except PinEnded:
            failure = ENDED
        except PlexTvRefused:
            failure = REFUSED
    if failure:
        request.session.pop(_KEPT, None)
        messages.error(request, failure)
        return HttpResponseRedirect(back)
    return TemplateResponse(
        request,
        "admin/plex_integration/plexconnection/sign_in.html",
        {
            **admin.admin_site.each_context(request),
            "title": "Sign in to Plex",
            "opts": admin.opts,
            "code": kept["code"],
            "link": account.link_page(),
            "minutes": max(1, round((kept["until"] - time.time()) / 60)),
            "away": AWAY if is_away else "",
            "reloaded_every": RELOADED_EVERY,
            "back": back,
            "here": reverse("admin:plex_integration_plexconnection_sign_in"),
        },
    )


def cancel(request: HttpRequest) -> None:
    """Forget the code: plex.tv lets it end by itself."""
    request.session.pop(_KEPT, None)


def _taken(request: HttpRequest, admin: "ModelAdmin[Any]", token: str, url: str) -> str | None:
    row = PlexConnection.objects.first()
    if row is None or row.url != url:
        # The token would go where it was not meant to go.
        return MOVED
    row.token = token
    row.save()
    admin.log_change(request, row, "Signed in to Plex. Changed Token.")
    return None
