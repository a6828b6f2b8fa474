"""The simulator's own calls for other processes: /simulator/…, JSON in and out, no token.

GET    /simulator/                     what is here: libraries and their sizes, faults, listeners
GET    /simulator/requests[?path=]     what was asked; path: a prefix or a ^regex
DELETE /simulator/requests             forget it
GET    /simulator/faults               the faults that are on
POST   /simulator/faults               {"kind", "path"?, "times"?, and the kind's options}
DELETE /simulator/faults               heal
POST   /simulator/items                {"library", "type", "title", and further attributes}
PUT    /simulator/items/<key>          {attributes to change}
DELETE /simulator/items/<key>
POST   /simulator/items/<key>/watched  {"user"?: "owner" | "viewer", "watched"?: true}
DELETE /simulator/listeners            hang up on everyone who listens for notifications
POST   /simulator/pins/<id>            {"state": "linked" | "expired", "user"?: "owner" | "viewer"}

A port closed by the fault "refused" cannot be asked to open again: give it "seconds".
"""

import json
import threading
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from plex_simulator.faults import matches
from plex_simulator.messages import Reply
from plex_simulator.nodes import JSON_TYPE

if TYPE_CHECKING:
    from plex_simulator.simulator import Simulator


def answer(
    simulator: "Simulator", method: str, path: str, query: Mapping[str, str], body: bytes
) -> Reply:
    try:
        told = json.loads(body or b"{}")
        if not isinstance(told, dict):
            raise ValueError("the body must be a JSON object")
        found = _answer(simulator, method, path.strip("/").split("/")[1:], query, told)
    except (ValueError, TypeError) as error:
        return _reply(400, {"error": str(error)})
    except KeyError as error:
        return _reply(404, {"error": f"there is no {error}"})
    return _reply(200, found)


def _reply(status: int, told: Any) -> Reply:
    return Reply(status, json.dumps(told, ensure_ascii=False).encode(), JSON_TYPE)


def _answer(
    simulator: "Simulator",
    method: str,
    path: list[str],
    query: Mapping[str, str],
    told: dict[str, Any],
) -> Any:
    catalogue = simulator.catalogue
    match method, *path:
        case "GET", *rest if not rest:
            return _overview(simulator)
        case "GET", "requests":
            wanted = query.get("path")
            listed = [asdict(r) for r in simulator.requests if matches(wanted, r.path)]
            return {"count": len(listed), "requests": listed}
        case "DELETE", "requests":
            simulator.reset_requests()
        case "GET", "faults":
            return {"faults": simulator.faults}
        case "POST", "faults":
            _break(simulator, told)
            return {"faults": simulator.faults}
        case "DELETE", "faults":
            simulator.heal()
        case "POST", "items":
            place = (str(told.pop("library")), str(told.pop("type")), str(told.pop("title")))
            return {"ratingKey": catalogue.add(*place, **told).rating_key}
        case "PUT", "items", key:
            return {"ratingKey": catalogue.change(key, **told).rating_key}
        case "DELETE", "items", key:
            catalogue.remove(key)
        case "POST", "items", key, "watched":
            user = catalogue.viewer if told.get("user") == "viewer" else catalogue.owner
            catalogue.mark_watched(key, user, watched=bool(told.get("watched", True)))
        case "DELETE", "listeners":
            return {"dropped": simulator.drop_listeners()}
        case "POST", "pins", number if told.get("state") == "expired":
            simulator.expire_pin(int(number))
        case "POST", "pins", number if told.get("state") == "linked":
            user = catalogue.viewer if told.get("user") == "viewer" else catalogue.owner
            simulator.link_pin(int(number), user)
        case _:
            raise KeyError("/".join(["/simulator", *path]))
    return {}


def _overview(simulator: "Simulator") -> dict[str, Any]:
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
                    kind: len(catalogue.items(library.key, kind)) for kind in library.item_types
                },
            }
            for library in catalogue.libraries
        ],
        "faults": simulator.faults,
        "listeners": simulator.broadcast.listeners,
        "requests": len(simulator.requests),
    }


def _break(simulator: "Simulator", told: dict[str, Any]) -> None:
    kind = str(told.pop("kind"))
    if kind == "refused":
        # Closing the port cuts this connection too, so the answer has to leave first.
        later = threading.Timer(0.1, simulator.fault, (kind,), told)
        later.daemon = True
        later.start()
    else:
        simulator.fault(kind, told.pop("path", None), told.pop("times", None), **told)
