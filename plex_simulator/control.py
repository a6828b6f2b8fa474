"""The control API of the simulator, for other processes: JSON in and out, without a token.

GET    /simulator/                     libraries and their sizes, faults, number of listeners, and
                                       whether large libraries are prepared for fast responses
GET    /simulator/requests[?path=]     recorded requests; path: a prefix or a ^regex
DELETE /simulator/requests             delete the recorded requests
GET    /simulator/faults               the faults that are switched on
POST   /simulator/faults               {"kind", "path"?, "times"?, and the options of the kind}
DELETE /simulator/faults               switch all faults off
POST   /simulator/items                {"library", "type", "title", and other attributes}
PUT    /simulator/items/<key>          {the attributes to change}
DELETE /simulator/items/<key>
POST   /simulator/items/<key>/watched  {"user"?: <account>, "watched"?: true}
GET    /simulator/accounts             the accounts, without their tokens
POST   /simulator/accounts             {"name", "libraries"?: [keys], "filters"?: {"filterMovies"?,
                                       "filterTelevision"?, …}, "home"?, "restricted"?,
                                       "restriction_profile"?, "pin"?, "email"?}
PUT    /simulator/accounts/<account>/filters      {"filterMovies"?: "label!=Kids", …}
DELETE /simulator/accounts/<account>/share        take all access from an account
DELETE /simulator/accounts/<account>/share/<key>  stop sharing a library
DELETE /simulator/accounts/<account>/tokens       revoke all account tokens
POST   /simulator/accounts/<account>/server-token replace the server token, or with
                                       {"kind": "jwt"} let plex.tv send a JWT instead of it
POST   /simulator/addresses            {"uri", "local"?, "relay"?}: one more address of this server
                                       in plex.tv's list
POST   /simulator/servers              {"name", "machine_identifier", "addresses"?: [{"uri",
                                       "local"?, "relay"?}], "access_token"?, "owned"?, "online"?}:
                                       another server in the owner's list
DELETE /simulator/servers              remove the servers and addresses that were added
DELETE /simulator/listeners            disconnect all clients that listen for notifications
POST   /simulator/pins/<id>            {"state": "linked" | "expired", "user"?: <account>}

<account> is "owner", "viewer", or the id, UUID or name of an account; by default the owner.

The paths of plex.tv, and no others, start with /api/, so that {"kind": "status", "status": 429,
"retry_after"?: 5, "path": "/api/"} is a fault of plex.tv alone. At /auth and /link a person signs
in. The fault "refused" closes the port, also for the control API. Set "seconds" to open it again.
"""

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Protocol

from plex_simulator.accounts import Accounts
from plex_simulator.catalogue import Catalogue
from plex_simulator.faults import matches
from plex_simulator.messages import Response
from plex_simulator.models import Account
from plex_simulator.nodes import JSON_TYPE
from plex_simulator.notifications import Broadcast
from plex_simulator.preparation import Preparation
from plex_simulator.server import RecordedRequest


class Controllable(Protocol):
    """What the control API needs of a simulator."""

    accounts: Accounts
    catalogue: Catalogue
    broadcast: Broadcast
    preparation: Preparation
    machine_identifier: str

    @property
    def url(self) -> str: ...
    @property
    def requests(self) -> Sequence[RecordedRequest]: ...
    @property
    def faults(self) -> list[dict[str, Any]]: ...
    def reset_requests(self) -> None: ...
    def fault(
        self, kind: str, path: str | None = None, times: int | None = None, **options: Any
    ) -> None: ...
    def heal(self) -> None: ...
    def add_account(self, name: str, **attributes: Any) -> Account: ...
    def add_address(self, uri: str, *, local: bool = False, relay: bool = False) -> None: ...
    def add_server(self, name: str, *args: Any, **options: Any) -> None: ...
    def remove_added_servers(self) -> None: ...
    def drop_listeners(self) -> int: ...
    def link_pin(self, pin_id: int, user: Account | None = None) -> None: ...
    def expire_pin(self, pin_id: int) -> None: ...


def respond(
    simulator: Controllable, method: str, path: str, query: Mapping[str, str], body: bytes
) -> Response:
    """Answer a request to the control API."""
    try:
        options = json.loads(body or b"{}")
        if not isinstance(options, dict):
            raise ValueError("the body must be a JSON object")
        result = _execute(simulator, method, path.strip("/").split("/")[1:], query, options)
    except (ValueError, TypeError) as error:
        return _json_response(400, {"error": str(error)})
    except KeyError as error:
        return _json_response(404, {"error": f"there is no {error}"})
    return _json_response(200, result)


def _json_response(status: int, content: Any) -> Response:
    return Response(status, json.dumps(content, ensure_ascii=False).encode(), JSON_TYPE)


def _execute(
    simulator: Controllable,
    method: str,
    path: list[str],
    query: Mapping[str, str],
    options: dict[str, Any],
) -> Any:
    """Execute a control request; raise KeyError if the path is unknown."""
    catalogue = simulator.catalogue
    match method, *path:
        case "GET", *rest if not rest:
            return _describe(simulator)
        case "GET", "requests":
            pattern = query.get("path")
            found = [asdict(each) for each in simulator.requests if matches(pattern, each.path)]
            return {"count": len(found), "requests": found}
        case "DELETE", "requests":
            simulator.reset_requests()
        case "GET", "faults":
            return {"faults": simulator.faults}
        case "POST", "faults":
            _add_fault(simulator, options)
            return {"faults": simulator.faults}
        case "DELETE", "faults":
            simulator.heal()
        case "POST", "items":
            required = [str(options.pop(name)) for name in ("library", "type", "title")]
            return {"ratingKey": catalogue.add(*required, **options).rating_key}
        case "PUT", "items", key:
            return {"ratingKey": catalogue.change(key, **options).rating_key}
        case "DELETE", "items", key:
            catalogue.remove(key)
        case "POST", "items", key, "watched":
            watched = bool(options.get("watched", True))
            catalogue.mark_watched(key, _user(simulator, options), watched=watched)
        case "POST", "addresses":
            simulator.add_address(**options)
        case "POST", "servers":
            simulator.add_server(**options)
        case "DELETE", "servers":
            simulator.remove_added_servers()
        case "DELETE", "listeners":
            return {"dropped": simulator.drop_listeners()}
        case "POST", "pins", pin_id if options.get("state") == "expired":
            simulator.expire_pin(int(pin_id))
        case "POST", "pins", pin_id if options.get("state") == "linked":
            simulator.link_pin(int(pin_id), _user(simulator, options))
        case _, "accounts", *rest:
            return _control_accounts(simulator, (method, *rest), options)
        case _:
            raise KeyError("/".join(["/simulator", *path]))
    return {}


def _user(simulator: Controllable, options: Mapping[str, Any]) -> Account:
    return _find_account(simulator, options.get("user", "owner"))


def _find_account(simulator: Controllable, name: str | int) -> Account:
    """Return an account by its role, id, UUID or name; raise KeyError if there is none."""
    accounts = simulator.accounts
    roles = {"owner": accounts.owner, "viewer": accounts.viewer}
    return roles.get(str(name)) or accounts.find(name)


def _control_accounts(
    simulator: Controllable, request: tuple[str, ...], options: dict[str, Any]
) -> Any:
    """Execute a control request about accounts; raise KeyError if the path is unknown."""
    accounts = simulator.accounts
    match request:
        case ("GET",):
            return {"accounts": [_describe_account(each) for each in accounts.all]}
        case ("POST",):
            return _describe_account(simulator.add_account(options.pop("name"), **options))
        case "PUT", name, "filters":
            accounts.set_filters(_find_account(simulator, name), options)
        case "DELETE", name, "share":
            accounts.remove_share(_find_account(simulator, name))
        case "DELETE", name, "tokens":
            accounts.revoke_tokens(_find_account(simulator, name))
        case "POST", name, "server-token" if options.get("kind") == "jwt":
            accounts.issue_jwt(_find_account(simulator, name))
        case "POST", name, "server-token":
            accounts.rotate_server_token(_find_account(simulator, name))
        case "DELETE", name, "share", key:
            accounts.unshare_library(_find_account(simulator, name), key)
        case _:
            raise KeyError("/".join(["/simulator/accounts", *request[1:]]))
    return {}


def _describe_account(account: Account) -> dict[str, Any]:
    share = account.share
    return {
        "id": account.plex_tv_id,
        "uuid": account.uuid,
        "name": account.name,
        "home": account.home,
        "restricted": account.restricted,
        "restrictionProfile": account.restriction_profile,
        "protected": account.pin is not None,
        "libraries": None if share is None else sorted(share.libraries, key=int),
        "filters": {} if share is None else dict(share.filters),
    }


def _describe(simulator: Controllable) -> dict[str, Any]:
    catalogue = simulator.catalogue
    return {
        "url": simulator.url,
        "machineIdentifier": simulator.machine_identifier,
        "libraries": [
            {
                "key": library.key,
                "title": library.title,
                "type": library.type,
                "items": {
                    item_type: len(catalogue.items(library.key, item_type))
                    for item_type in library.item_types
                },
            }
            for library in catalogue.libraries
        ],
        "prepared": simulator.preparation.is_done,
        "faults": simulator.faults,
        "listeners": simulator.broadcast.listeners,
        "requests": len(simulator.requests),
    }


def _add_fault(simulator: Controllable, options: dict[str, Any]) -> None:
    kind = str(options.pop("kind"))
    if kind == "refused":
        # Closing the port also closes this connection, so the response must be sent before.
        timer = threading.Timer(0.1, simulator.fault, (kind,), options)
        timer.daemon = True
        timer.start()
    else:
        simulator.fault(kind, options.pop("path", None), options.pop("times", None), **options)
