"""The connection of a viewer: with the token of a Plex account, or with the service's own."""

import re
from dataclasses import replace
from typing import Any

from accounts.plex_links import PlexLink
from plex_integration.caching import views
from plex_integration.configuration import runtime
from plex_integration.configuration.connection import Connection
from plex_integration.errors import LinkReason, PlexLinkRequired

_VIEW = re.compile(r"([0-9]{1,18})\.[0-9]{1,18}")


def link_of(user: Any) -> PlexLink | None:
    """Return a user's link; None for a user who has the service's own view.

    Raises PlexLinkRequired for a user without a link who needs one, or where all users do.
    """
    views.remember(str(user.pk), user.plex_view)
    link: PlexLink | None = getattr(user, "plex_link", None)
    if link is None and (user.needs_own_view or runtime.current().viewers.refuses_unlinked):
        raise PlexLinkRequired.because(LinkReason.NOT_LINKED)
    return link


def link_of_view(view: str) -> PlexLink | None:
    """Return a link that has this view now; None if there is none."""
    named = _VIEW.fullmatch(view)
    if named is None:
        return None
    links = PlexLink.objects.filter(viewer_id=int(named[1]), state=PlexLink.State.ACTIVE)
    return next((link for link in links if link.view == view), None)


def require_active(link: PlexLink | None) -> None:
    """Raise PlexLinkRequired for a link that cannot be used."""
    if link is not None and link.state != PlexLink.State.ACTIVE:
        raise PlexLinkRequired.because(LinkReason(link.state))


def connection_of(link: PlexLink | None) -> Connection:
    """Return the connection with a viewer's token, or with the service's own.

    A viewer's token is only sent to the server that it belongs to. Raises PlexLinkRequired for a
    link that cannot be used, and PlexServerUnavailable where no server is configured.
    """
    connection = runtime.required_connection()
    if link is None:
        return connection
    require_active(link)
    if link.machine_identifier != connection.machine_identifier:
        raise PlexLinkRequired.because(LinkReason.NO_ACCESS)
    token = link.server_token
    if not token:
        # It cannot be decrypted: the operator has changed the encryption key.
        raise PlexLinkRequired.because(LinkReason.REVOKED)
    return replace(connection, token=token, viewer=link.view)
