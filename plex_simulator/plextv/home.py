"""The profiles of a Plex Home, and switching between them, in the new and in the old form.

As at plex.tv, a switch checks a PIN only if the client sends one.
"""

from typing import Any

from plex_simulator.messages import Request, Response
from plex_simulator.models import Account
from plex_simulator.nodes import Node, Value
from plex_simulator.plextv.responses import NotFound, Refused, respond, respond_with_xml
from plex_simulator.plextv.site import Caller, Site, avatar
from plex_simulator.plextv.users import common_fields

HOME_ID = 4711
HOME_NAME = "Margit's Home"
GUEST_ID, GUEST_UUID = 33_542_083, "f7a3c8f863873771"
UPDATED_AT = 1_700_000_000


def list_users(site: Site, request: Request, caller: Caller) -> Response:
    """List the profiles: /api/v2/home/users."""
    home = {
        "id": HOME_ID,
        "name": HOME_NAME,
        "guestUserID": GUEST_ID,
        "guestUserUUID": GUEST_UUID,
        "guestEnabled": False,
        "subscription": True,
        "users": [_describe_profile(account) for account in _members(site, caller)],
    }
    return respond(request, "home", home)


def list_users_in_xml(site: Site, _: Request, caller: Caller) -> Response:
    """List the profiles: /api/home/users."""
    rows = [_profile_node(account) for account in _members(site, caller)]
    attributes: dict[str, Value] = {
        "size": len(rows),
        "friendlyName": HOME_NAME,
        "identifier": "com.plexapp.plugins.myplex",
    }
    return respond_with_xml(Node("MediaContainer", attributes, rows))


def switch(site: Site, request: Request, caller: Caller, uuid: str) -> Response:
    """Switch to a profile: /api/v2/home/users/<uuid>/switch."""
    found = (each for each in _members(site, caller) if each.uuid == uuid)
    return respond(request, "user", _switch(site, request, next(found, None)), 201)


def switch_in_xml(site: Site, request: Request, caller: Caller, number: str) -> Response:
    """Switch to a profile: /api/home/users/<id>/switch."""
    found = (each for each in _members(site, caller) if str(each.plex_tv_id) == number)
    user = _switch(site, request, next(found, None))
    attributes = {key: value for key, value in user.items() if key != "providers"}
    token = user["authToken"]
    return respond_with_xml(Node("user", {**attributes, "authenticationToken": token}), 201)


def _switch(site: Site, request: Request, account: Account | None) -> dict[str, Any]:
    """Describe a profile after a switch to it; the description repeats its PIN."""
    if account is None:
        raise NotFound
    pin = request.arg("pin")
    if pin and account.pin not in (None, pin):
        raise Refused(403, 1041, "A valid PIN is required to perform this action")
    return {
        **common_fields(site, account, site.accounts.switch(account)),
        "providers": [],
        "pin": account.pin,
        "certificateVersion": 2,
    }


def _members(site: Site, caller: Caller) -> list[Account]:
    """List the profiles of the caller's Plex Home: the caller alone if it is in none."""
    home = site.home
    return home if caller.account in home else [caller.account]


def _describe_profile(account: Account) -> dict[str, Any]:
    return {
        "id": account.plex_tv_id,
        "uuid": account.uuid,
        "title": account.name,
        "username": account.username or None,
        "email": account.email or None,
        "friendlyName": None,
        "thumb": avatar(account),
        "hasPassword": not account.restricted,
        "restricted": account.restricted,
        "restrictionProfile": account.restriction_profile,
        "updatedAt": UPDATED_AT,
        "admin": account.is_owner,
        "guest": False,
        "protected": account.pin is not None,
    }


def _profile_node(account: Account) -> Node:
    return Node(
        "User",
        {
            "id": account.plex_tv_id,
            "uuid": account.uuid,
            "admin": account.is_owner,
            "guest": False,
            "restricted": account.restricted,
            "restrictionProfile": account.restriction_profile,
            "protected": account.pin is not None,
            "title": account.name,
            "username": account.username,
            "email": account.email,
            "thumb": avatar(account),
        },
    )
