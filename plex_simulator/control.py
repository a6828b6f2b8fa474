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
POST   /simulator/items/<key>/watched  {"user"?: "owner" | "viewer", "watched"?: true}
DELETE /simulator/listeners            disconnect all clients that listen for notifications
POST   /simulator/pins/<id>            {"state": "linked" | "expired", "user"?: "owner" | "viewer"}

The fault "refused" closes the port, also for the control API. Set "seconds" to open it again.
"""

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Protocol

from plex_simulator.catalogue import Catalogue
from plex_simulator.faults import matches
from plex_simulator.messages import Response
from plex_simulator.models import User
from plex_simulator.nodes import JSON_TYPE
from plex_simulator.notifications import Broadcast
from plex_simulator.preparation import Preparation
from plex_simulator.server import RecordedRequest


class Controllable(Protocol):
    """What the control API needs of a simulator."""

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
    def drop_listeners(self) -> int: ...
    def link_pin(self, pin_id: int, user: User | None = None) -> None: ...
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
            catalogue.mark_watched(key, _user(catalogue, options), watched=watched)
        case "DELETE", "listeners":
            return {"dropped": simulator.drop_listeners()}
        case "POST", "pins", pin_id if options.get("state") == "expired":
            simulator.expire_pin(int(pin_id))
        case "POST", "pins", pin_id if options.get("state") == "linked":
            simulator.link_pin(int(pin_id), _user(catalogue, options))
        case _:
            raise KeyError("/".join(["/simulator", *path]))
    return {}


def _user(catalogue: Catalogue, options: Mapping[str, Any]) -> User:
    return catalogue.viewer if options.get("user") == "viewer" else catalogue.owner


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
