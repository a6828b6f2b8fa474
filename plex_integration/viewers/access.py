"""Whether a viewer still has access to Plex, and what follows when it has ended.

Plex tells nobody that a share was removed or that a library is not shared any more. So the list of
libraries is read with the viewer's token every few minutes, while the viewer sends requests; and
the first 401 or 403 ends the view at once. Ending a view makes everything unreachable that is
cached for it: responses, pictures, signed links. A Plex or a plex.tv that does not respond ends
nothing.
"""

import logging
import time
from datetime import timedelta
from hashlib import blake2b
from typing import Any

from django.db import DatabaseError
from django.db.models import Q
from django.utils import timezone

from accounts.plex_links import PlexLink
from medianest.api.exceptions import Problem
from medianest.serving import upstream
from plex_integration.caching import access_checks, breaker, failures
from plex_integration.configuration import runtime
from plex_integration.configuration.connection import Connection
from plex_integration.errors import (
    PlexLinkRequired,
    PlexUnauthorized,
)
from plex_integration.plex import PlexClient, PlexForbidden
from plex_integration.viewers import tokens
from plex_integration.viewers.connections import connection_of, require_active
from plex_integration.viewers.identity import machine_identifier

log = logging.getLogger(__name__)

CHECK_SECONDS = 2.0
"""How long a check waits for Plex: a cached response must not wait longer for a slow one."""
RENEW_AFTER = timedelta(hours=3)
"""How often the tokens are compared with plex.tv while everything works."""
RENEW_PAUSE = timedelta(seconds=60)
"""How soon plex.tv is asked again about an account that Plex refuses."""
OTHER_WORKER = timedelta(seconds=3)
"""How long after it began another worker may still be asking plex.tv."""
POLL_SECONDS = 0.1


def prepare(link: PlexLink) -> None:
    """Get a token for a viewer who may have access again, or whose link is of another server.

    Learns first which server is configured, if that is not known. Raises PlexLinkRequired.
    """
    machine = machine_identifier(runtime.required_connection())
    is_active = link.state == PlexLink.State.ACTIVE
    is_elsewhere = is_active and link.machine_identifier != machine
    if is_elsewhere or link.state == PlexLink.State.NO_ACCESS:
        renew(link)


def check(link: PlexLink) -> None:
    """Check a viewer's access now, and record the check.

    Raises PlexLinkRequired if access has ended. While Plex does not respond, nothing is known, and
    the check is repeated soon.
    """
    connection = connection_of(link)
    try:
        libraries = _libraries(connection)
    except PlexUnauthorized as error:
        refused(link, error)
        return
    except Problem:
        access_checks.record(connection.scope, reached=False)
        return
    if link.libraries != libraries:
        _changed(link, libraries)
    if link.checked_at is None or timezone.now() - link.checked_at > RENEW_AFTER:
        renew(link)
    access_checks.record(connection_of(link).scope, reached=True)


def check_user(user_id: str) -> None:
    """Check the access of a user's Plex account, in the background."""
    try:
        link = PlexLink.objects.filter(user_id=user_id, state=PlexLink.State.ACTIVE).first()
        if link is not None:
            prepare(link)
            check(link)
    except (PlexLinkRequired, PlexLink.DoesNotExist):
        log.info("user %s has no access to Plex any more", user_id)
    except (DatabaseError, Problem) as error:
        log.warning("access to Plex is not checked: %s", type(error).__name__)


def refused(link: PlexLink, error: PlexUnauthorized) -> None:
    """End a view that Plex has refused, and get a new token if there is one.

    Raises PlexLinkRequired if access has ended.
    """
    link.end_view()
    # A token that Plex knows is not an old one.
    is_known = isinstance(error, PlexForbidden)
    renew(link, refused_token="" if is_known else _digest(link.server_token or ""))


def renew(link: PlexLink, refused_token: str = "") -> None:
    """Compare a link with plex.tv: once for all workers for each token that Plex refuses.

    `refused_token` is its digest. Raises PlexLinkRequired if access has ended. While plex.tv does
    not respond, the link stays as it is.
    """
    if not upstream.may_wait():
        raise failures.busy()
    was_active = link.state == PlexLink.State.ACTIVE
    if _claim(link, refused_token):
        tokens.renew(link)
        if was_active and link.state != PlexLink.State.ACTIVE:
            link.end_view()
    elif refused_token or not was_active:
        _wait_for_other(link)
    require_active(link)


def _libraries(connection: Connection) -> list[str]:
    with breaker.guard(connection.server, counts_failures=False):
        client = PlexClient(connection, min(CHECK_SECONDS, connection.seconds))
        return sorted(each.id for each in client.library_list().all)


def _changed(link: PlexLink, libraries: list[str]) -> None:
    # The first check of a link ends nothing: there was no other list before.
    is_first = link.libraries is None
    link.libraries = libraries
    PlexLink.objects.filter(pk=link.pk).update(libraries=libraries)
    if not is_first:
        link.end_view()


def _claim(link: PlexLink, refused_token: str) -> bool:
    """Tell whether this worker asks plex.tv: one that was asked a moment ago says the same."""
    now = timezone.now()
    is_due = Q(checked_at=None) | Q(checked_at__lt=now - RENEW_PAUSE)
    claim: dict[str, Any] = {"checked_at": now}
    if refused_token:
        is_due |= ~Q(refused_token=refused_token)
        claim["refused_token"] = refused_token
    claimed: int = PlexLink.objects.filter(is_due, pk=link.pk).update(**claim)
    return claimed == 1


def _digest(token: str) -> str:
    return blake2b(token.encode(), digest_size=16).hexdigest()


def _wait_for_other(link: PlexLink) -> None:
    """Wait for the new token or state that another worker is about to save, if there is one."""
    before = (link.encrypted_server_token, link.state)
    link.refresh_from_db()
    until = (link.checked_at or timezone.now()) + OTHER_WORKER
    while (link.encrypted_server_token, link.state) == before and timezone.now() < until:
        time.sleep(POLL_SECONDS)
        link.refresh_from_db()
