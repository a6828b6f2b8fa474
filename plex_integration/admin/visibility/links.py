"""Whether a user gets anything at all: the user, and the user's link to a Plex account."""

from accounts.models import User
from accounts.plex_links import PlexLink
from plex_integration.configuration import runtime

SIGN_IN_AGAIN = "plex.tv refuses the token of {user}'s Plex account: {user} must sign in again."

_UNUSABLE = {
    PlexLink.State.PENDING: "{user} was imported and has not signed in with Plex yet.",
    PlexLink.State.REVOKED: SIGN_IN_AGAIN,
}
"""The states of a link that refuse. One without access is compared with plex.tv at each request."""


def refusal(user: User, link: PlexLink | None) -> str:
    """Return in one sentence what refuses the user before Plex is asked; "" if nothing does."""
    if not user.is_active:
        return f"{user} is deactivated: every request is refused."
    if link is None:
        return _refusal_without_link(user)
    if None in (link.account_token, link.profile_token, link.server_token):
        return (
            f"The tokens of {user}'s link cannot be decrypted, because the encryption key has "
            f"changed: {user} must sign in with Plex again."
        )
    return _UNUSABLE.get(PlexLink.State(link.state), "").format(user=user)


def viewer_of(link: PlexLink | None) -> str:
    """Return what to call the account or profile as which a user sees Plex."""
    if link is None:
        return "this service's own account"
    if link.profile_uuid:
        return link.profile_name or f"profile {link.viewer_id}"
    return link.account_name or f"Plex account {link.account_id}"


def _refusal_without_link(user: User) -> str:
    if user.needs_own_view:
        return f"{user} is not linked to a Plex account, and needs one to see anything."
    if runtime.current().viewers.refuses_unlinked:
        return (
            f"{user} is not linked to a Plex account, and users without one get PLEX_LINK_REQUIRED."
        )
    return ""
