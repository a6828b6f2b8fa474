"""The profiles of a Plex Home, and switching to one.

plex.tv switches into a protected profile when no PIN is sent, so the PIN is required here: by a
list that is read anew each time.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from django.db import transaction

from accounts.plex_links import PlexLink
from medianest import store
from medianest.api.exceptions import Invalid, RateLimitExceeded
from medianest.api.limits import WINDOW, requests_allowed
from medianest.serving import upstream
from medianest.store import Attempt
from plex_integration.errors import (
    HomePinWrong,
    HomeProfileNotFound,
    LinkReason,
    PlexLinkRequired,
    PlexTvUnavailable,
)
from plex_integration.linking.tokens import AccountTokens, set_view, store_everywhere
from plex_integration.plex.plextv import home
from plex_integration.plex.plextv.accounts import read_server_token
from plex_integration.plex.plextv.home import Profile
from plex_integration.plex.plextv.http import AccountTokenRefused
from plex_integration.policies import HOME_PINS
from plex_integration.viewers.identity import current_machine_identifier

_REASONS = {
    PlexLink.State.PENDING: LinkReason.PENDING,
    PlexLink.State.REVOKED: LinkReason.REVOKED,
}


def link_of(user_id: int | None) -> PlexLink:
    """Return a user's link, if plex.tv may accept its account. Raises PlexLinkRequired."""
    link: PlexLink | None = PlexLink.objects.filter(user_id=user_id).first()
    if link is None:
        raise PlexLinkRequired.because(LinkReason.NOT_LINKED)
    if reason := _REASONS.get(PlexLink.State(link.state)):
        raise PlexLinkRequired.because(reason)
    if not link.account_token:
        raise PlexLinkRequired.because(LinkReason.REVOKED)
    return link


def profiles_of(link: PlexLink) -> list[Profile]:
    """Return the profiles of the account's Plex Home.

    Raises PlexTvUnavailable or PlexLinkRequired.
    """
    with _revoked_if_refused(link):
        return home.read_profiles(link.account_token or "")


def switch(link: PlexLink, uuid: str, pin: str) -> None:
    """Let a user view Plex as a profile of the Plex Home.

    Raises HomeProfileNotFound, HomePinWrong, PlexLinkRequired, PlexTvUnavailable, Invalid for a
    protected profile without a PIN, and RateLimitExceeded after too many wrong ones.
    """
    profile = _find(profiles_of(link), uuid)
    if profile.is_protected and not pin:
        raise Invalid("Not valid: pin.", details={"pin": ["This profile needs its PIN."]})
    with _revoked_if_refused(link):
        tokens = _switched(link, profile, pin)
    if not _record(link, profile, tokens):
        raise PlexLinkRequired.because(LinkReason.NOT_LINKED)
    if not tokens.server_token:
        raise PlexLinkRequired.because(LinkReason.NO_ACCESS)


def _find(profiles: list[Profile], uuid: str) -> Profile:
    for profile in profiles:
        if profile.uuid == uuid:
            return profile
    raise HomeProfileNotFound


def _switched(link: PlexLink, profile: Profile, pin: str) -> AccountTokens:
    """Return the profile's tokens. Its own is for plex.tv: the server accepts another."""
    server = current_machine_identifier()
    with _counted(link.user_id):
        switched = home.switch(link.account_token or "", profile, pin)
    return AccountTokens(profile.id, switched.token, server, _server_token(switched.token, server))


def _server_token(profile_token: str, server: str) -> str:
    """Return what the server accepts from a profile; "" if it has no access."""
    try:
        return read_server_token(profile_token, server) or ""
    except AccountTokenRefused as error:
        # The account's own token has just been accepted.
        raise PlexTvUnavailable from error


@contextmanager
def _counted(user_id: int) -> Iterator[None]:
    """Count an attempt with a PIN that turns out to be wrong. Raises RateLimitExceeded."""
    if not upstream.may_wait():
        raise PlexTvUnavailable
    key, attempt = f"{HOME_PINS.scope}:{{{user_id}}}", uuid4().hex
    limit, windows = requests_allowed(HOME_PINS), store.current().rate_windows
    outcome, wait = windows.begin_attempt(key, limit, WINDOW, attempt)
    if outcome is not Attempt.BEGUN:
        raise RateLimitExceeded(limit, WINDOW, max(1, wait))
    is_wrong = False
    try:
        yield
    except HomePinWrong:
        is_wrong = True
        raise
    finally:
        windows.end_attempt(key, attempt, failed=is_wrong)


@contextmanager
def _revoked_if_refused(link: PlexLink) -> Iterator[None]:
    """Mark a link whose account's token plex.tv refuses. Raises PlexLinkRequired."""
    try:
        yield
    except AccountTokenRefused:
        # Unless a sign-in has stored another token meanwhile.
        same = PlexLink.objects.filter(
            pk=link.pk, encrypted_account_token=link.encrypted_account_token
        )
        same.update(state=PlexLink.State.REVOKED)
        raise PlexLinkRequired.because(LinkReason.REVOKED) from None


@transaction.atomic
def _record(link: PlexLink, profile: Profile, tokens: AccountTokens) -> bool:
    """Store a profile's tokens everywhere, and let the link view Plex as it if it has access.

    Tells whether the link is still there.
    """
    store_everywhere(tokens)
    current: PlexLink | None = PlexLink.objects.select_for_update().filter(pk=link.pk).first()
    if current is None:
        return False
    if tokens.server_token:
        _view_as(current, profile, tokens)
    return True


def _view_as(link: PlexLink, profile: Profile, tokens: AccountTokens) -> None:
    """Let a link view Plex as a profile, or as the account itself."""
    is_own = profile.id == link.account_id
    link.profile_uuid = "" if is_own else profile.uuid
    link.profile_name = "" if is_own else profile.name
    if is_own:
        link.encrypted_profile_token = ""
    set_view(link, tokens)
    link.save()
