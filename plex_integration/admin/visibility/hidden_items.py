"""Why Plex hides an item of a shared library from a viewer: a filter of the share, or a profile.

Only the account of the server's owner can read both at plex.tv.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from plex_integration.configuration.connection import Connection
from plex_integration.errors import PlexTvUnavailable
from plex_integration.plex import PlexClient
from plex_integration.plex.media import Item, Library
from plex_integration.plex.plextv.home import read_profiles_as_operator
from plex_integration.plex.plextv.http import PlexTvRefused
from plex_integration.plex.plextv.share_filters import find_hiding
from plex_integration.plex.plextv.shares import Share, read_shares

NOT_THE_OWNER = "sign in to Plex as the server's owner on the page Plex connection."
UNAVAILABLE = "plex.tv is not accessible."


@dataclass(frozen=True)
class HiddenItem:
    """An item that the service's own account sees, and a viewer with this Plex id does not."""

    item: Item
    library: Library
    viewer_id: int
    viewer: str

    def reason(self, service: Connection, machine_identifier: str) -> str:
        """Return in one sentence what hides the item. Raises the errors of a request to Plex."""
        try:
            return self._reason(service, machine_identifier)
        except PlexTvRefused:
            return self._unreadable(NOT_THE_OWNER)
        except PlexTvUnavailable:
            return self._unreadable(UNAVAILABLE)

    def _reason(self, service: Connection, machine_identifier: str) -> str:
        share = self._own(read_shares(service.token, machine_identifier))
        tags = PlexClient(service, service.seconds).share_filter_tags(self.item)
        hiding = find_hiding(share.filters, self.library.type, tags) if share else None
        profile = self._age_profile(service.token) if share and share.is_managed else ""
        if hiding:
            who = f"{self.viewer}, who has the age profile {profile}," if profile else self.viewer
            return f"{name_of(self.item)} is hidden from {who} by the share's filter {hiding}."
        if profile:
            return (
                f"{name_of(self.item)} is hidden from {self.viewer} by the age profile {profile}."
            )
        return (
            f"Plex hides {name_of(self.item)} from {self.viewer}, "
            "and neither a filter of the share nor an age profile explains it."
        )

    def _own(self, shares: Sequence[Share]) -> Share | None:
        return next((each for each in shares if each.id == self.viewer_id), None)

    def _age_profile(self, token: str) -> str:
        profiles = read_profiles_as_operator(token)
        found = (each.restriction_profile for each in profiles if each.id == self.viewer_id)
        return next(found, "")

    def _unreadable(self, what_to_do: str) -> str:
        return (
            f"Plex hides {name_of(self.item)} from {self.viewer}, "
            f"and the filters of the share cannot be read: {what_to_do}"
        )


def name_of(item: Item) -> str:
    """Return the title of an item, or its rating key if it has none, in quotation marks."""
    return f"“{item.title or item.ratingKey}”"
