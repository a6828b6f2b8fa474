"""The server's token of a link's viewer, from plex.tv: a token may be replaced at any time.

A token that plex.tv refuses ends the link's state, and so does a server that is missing in the
account's list. A plex.tv that does not respond, or limits requests, changes nothing.
"""

import logging
from typing import Any

from accounts.plex_links import PlexLink
from medianest import secrets
from medianest.api.exceptions import Problem
from plex_integration.plex.plextv.accounts import read_server_token
from plex_integration.plex.plextv.http import AccountTokenRefused
from plex_integration.viewers.identity import current_machine_identifier

log = logging.getLogger(__name__)


def renew(link: PlexLink) -> None:
    """Store what plex.tv says about a link now, and refresh the link."""
    # Never the account's token for a profile, not even if the profile's cannot be decrypted: the
    # account may see more.
    token = link.profile_token if link.encrypted_profile_token else link.account_token
    if not token:
        return
    try:
        values = _read(token)
        if values["state"] == PlexLink.State.ACTIVE != link.state:
            # What was cached before access ended is not served again.
            link.view_as(link.viewer_id)
            values["generation"] = link.generation
        _store(link, values)
    except AccountTokenRefused:
        _store(link, {"state": PlexLink.State.REVOKED})
    except Problem as problem:
        log.warning("a link to Plex is not compared with plex.tv: %s", problem.code)


def _read(token: str) -> dict[str, Any]:
    machine = current_machine_identifier()
    server_token = read_server_token(token, machine)
    if server_token is None:
        return {"state": PlexLink.State.NO_ACCESS}
    return {
        "state": PlexLink.State.ACTIVE,
        "machine_identifier": machine,
        "encrypted_server_token": secrets.encrypted(server_token),
    }


def _store(link: PlexLink, values: dict[str, Any]) -> None:
    """Store these values, unless the user has signed in to Plex again meanwhile."""
    same = PlexLink.objects.filter(pk=link.pk, viewer_id=link.viewer_id)
    same.filter(encrypted_account_token=link.encrypted_account_token).update(**values)
    link.refresh_from_db()
