"""Which endpoint of plex.tv answers a request."""

import re

from plex_simulator.messages import Request, Response
from plex_simulator.plextv import home, pins, resources, shares, users
from plex_simulator.plextv.responses import NotFound, Refused, respond_with_error
from plex_simulator.plextv.site import Caller, Site

SWITCH = re.compile("/api/(v2/)?home/users/[^/]+/switch")


def respond(site: Site, request: Request, caller: Caller | None) -> Response:
    """Answer a request to a path under /api/."""
    try:
        return _respond(site, request, caller)
    except Refused as refused:
        return respond_with_error(request, refused)


def _respond(site: Site, request: Request, caller: Caller | None) -> Response:
    """Answer a request. Only pins need no account token."""
    method, path = request.method, request.path.rstrip("/").split("/")[2:]
    if path[:2] == ["v2", "pins"]:
        return pins.respond(site.pins, request, method, path[2:])
    if caller is None and SWITCH.fullmatch(request.path):
        return Response(401)  # without a body, unlike the response to a wrong PIN
    if caller is None:
        raise Refused(401, 1001, "User could not be authenticated")
    return _respond_to_account(site, request, caller, (method, *path))


def _respond_to_account(
    site: Site, request: Request, caller: Caller, target: tuple[str, ...]
) -> Response:
    match target:
        case "GET", "v2", "user":
            return users.show_user(site, request, caller)
        case "GET", "v2", "resources":
            return resources.list_resources(site, request, caller)
        case "GET", "v2", "home", "users":
            return home.list_users(site, request, caller)
        case "POST", "v2", "home", "users", uuid, "switch":
            return home.switch(site, request, caller, uuid)
        case "GET", "home", "users":
            return home.list_users_in_xml(site, request, caller)
        case "POST", "home", "users", number, "switch":
            return home.switch_in_xml(site, request, caller, number)
        case "GET", "users":
            return shares.list_users(site, request, caller)
        case "GET", "servers", machine_identifier, "shared_servers":
            return shares.list_shared_servers(site, request, caller, machine_identifier)
    raise NotFound
