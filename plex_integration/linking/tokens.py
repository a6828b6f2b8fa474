"""Where the tokens of a Plex account are stored: in every link that uses them.

plex.tv has one token for an account and this service. A new one ends the old one, whoever signed in
or switched to a profile, so it is stored for all links at once: those of the account, and those
that view Plex as the account.
"""

from dataclasses import dataclass, field

from django.utils import timezone

from accounts.plex_links import PlexLink


@dataclass(frozen=True)
class AccountTokens:
    """The tokens of an account or profile: its own, and the one that the server accepts from it.

    `server_token` is "" if the account has no access to the server.
    """

    account_id: int
    account_token: str = field(repr=False)
    machine_identifier: str
    server_token: str = field(repr=False)


def store_everywhere(tokens: AccountTokens) -> None:
    """Store the tokens in the links of the account, and in those that view Plex as it."""
    for link in PlexLink.objects.select_for_update().filter(account_id=tokens.account_id):
        link.account_token = tokens.account_token
        link.save()
    for link in PlexLink.objects.select_for_update().filter(viewer_id=tokens.account_id):
        set_view(link, tokens)
        link.save()


def set_view(link: PlexLink, tokens: AccountTokens) -> None:
    """Let a link view Plex as the account of the tokens."""
    if link.account_id != tokens.account_id:
        link.profile_token = tokens.account_token
    if link.viewer_id != tokens.account_id or link.state != PlexLink.State.ACTIVE:
        link.view_as(tokens.account_id)
    link.machine_identifier = tokens.machine_identifier
    link.server_token = tokens.server_token
    link.state = PlexLink.State.ACTIVE if tokens.server_token else PlexLink.State.NO_ACCESS
    link.checked_at = timezone.now()
