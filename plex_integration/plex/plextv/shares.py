"""With whom the owner shares a Plex Media Server, and the filters of each share.

Only the owner's account token may read this: https://plex.tv/api/users (XML).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from plex_integration.plex.parsing.attributes import whole
from plex_integration.plex.plextv.accounts import public_name
from plex_integration.plex.plextv.http import Client, request_xml
from plex_integration.plex.plextv.share_filters import FILTERS, OF_ALL_TYPES

MAX_BYTES = 4 * 1024 * 1024
"""A share has some hundred bytes, and an account can share with 100 others."""


@dataclass(frozen=True)
class Share:
    """An account that the owner shares a server with; home users are such accounts, too.

    `filters` are as Plex writes them, by their names, without empty ones. A managed account cannot
    sign in by itself.
    """

    id: int
    name: str
    is_home: bool
    is_managed: bool
    filters: Mapping[str, str] = field(repr=False)


def read_shares(token: str, machine_identifier: str) -> list[Share]:
    """Return with whom the owner of the token shares a server.

    Raises PlexTvRefused for a token that is not an account's, and PlexTvUnavailable.
    """
    users = request_xml("/api/users", Client.OPERATOR, token, MAX_BYTES)
    shared = [user for user in users if _has_server(user, machine_identifier)]
    return [_share(user, number) for user in shared if (number := whole(user, "id")) is not None]


def _has_server(user: Element, machine_identifier: str) -> bool:
    return machine_identifier in [each.get("machineIdentifier") for each in user.iter("Server")]


def _share(user: Element, number: int) -> Share:
    names = (OF_ALL_TYPES, *FILTERS.values())
    return Share(
        number,
        public_name(user.attrib),
        user.get("home") == "1",
        user.get("restricted") == "1",
        {name: text for name in names if (text := user.get(name, ""))},
    )
