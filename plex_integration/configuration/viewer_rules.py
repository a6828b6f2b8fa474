"""How users get their own view of Plex, as one value that requests read."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ViewerRules:
    """What the operator allows.

    `plex_sign_in`: users may sign in with Plex. `create_users`: an account that nobody here is
    linked to becomes a new user. `refuses_unlinked`: users without a link get PLEX_LINK_REQUIRED
    instead of what this service's own account sees.
    """

    plex_sign_in: bool = True
    create_users: bool = False
    refuses_unlinked: bool = False
