"""What the owner shares with others, in XML: /api/users and /api/servers/<id>/shared_servers."""

from plex_simulator.messages import Request, Response
from plex_simulator.models import Account, Share
from plex_simulator.nodes import Node
from plex_simulator.plextv.responses import NotFound, Refused, respond_with_xml
from plex_simulator.plextv.site import Caller, Site, avatar
from plex_simulator.visibility import FILTER_NAMES

SERVER_ID = 1
LAST_SEEN_AT = 1_704_067_200


def list_users(site: Site, _: Request, caller: Caller) -> Response:
    """List the accounts that the caller shares with; nobody but the owner shares anything."""
    shares = _list_shares(site) if caller.account.is_owner else []
    rows = [_user_node(site, account, share) for account, share in shares]
    return respond_with_xml(_container(site, rows))


def list_shared_servers(
    site: Site, _: Request, caller: Caller, machine_identifier: str
) -> Response:
    """List all accounts with a share and their server tokens, for the owner alone."""
    if machine_identifier != site.server.machine_identifier:
        raise NotFound
    if not caller.account.is_owner:
        raise Refused(403, 1006, "You do not own this server")
    rows = [_shared_server_node(site, account, share) for account, share in _list_shares(site)]
    return respond_with_xml(_container(site, rows))


def _list_shares(site: Site) -> list[tuple[Account, Share]]:
    return [(account, account.share) for account in site.accounts.all if account.share]


def _container(site: Site, rows: list[Node]) -> Node:
    return Node(
        "MediaContainer",
        {
            "friendlyName": "myPlex",
            "identifier": "com.plexapp.plugins.myplex",
            "machineIdentifier": site.server.machine_identifier,
            "totalSize": len(rows),
            "size": len(rows),
        },
        rows,
    )


def _user_node(site: Site, account: Account, share: Share) -> Node:
    server = Node(
        "Server",
        {
            "id": _share_id(account),
            "serverId": SERVER_ID,
            "machineIdentifier": site.server.machine_identifier,
            "name": site.server.name,
            "lastSeenAt": LAST_SEEN_AT,
            "numLibraries": len(share.libraries),
            "allLibraries": len(share.libraries) == site.server.libraries,
            "owned": False,
            "pending": False,
        },
    )
    return Node(
        "User",
        {
            "id": account.plex_tv_id,
            "title": account.name,
            "username": account.username,
            "email": account.email,
            "recommendationsPlaylistId": "",
            "thumb": avatar(account),
            "protected": account.pin is not None,
            "home": account.home,
            "allowTuners": False,
            "allowSync": False,
            "allowCameraUpload": False,
            "allowChannels": False,
            "allowSubtitleAdmin": False,
            **{name: share.filters.get(name, "") for name in FILTER_NAMES},
            "restricted": account.restricted,
        },
        [server],
    )


def _shared_server_node(site: Site, account: Account, share: Share) -> Node:
    return Node(
        "SharedServer",
        {
            "id": _share_id(account),
            "username": account.username,
            "email": account.email,
            "userID": account.plex_tv_id,
            "accessToken": account.server_token,
            "name": site.server.name,
            "machineIdentifier": site.server.machine_identifier,
            "allLibraries": len(share.libraries) == site.server.libraries,
            **{name: share.filters.get(name, "") for name in FILTER_NAMES},
        },
    )


def _share_id(account: Account) -> int:
    """Return the number of a share, which differs from that of its account."""
    return account.plex_tv_id + 1_000_000
