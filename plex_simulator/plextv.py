"""The part of plex.tv that clients need to sign in: pins, the user and the user's servers.

All responses are JSON, except for the page where a user enters a code.
"""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from plex_simulator.messages import Request, Response
from plex_simulator.models import User
from plex_simulator.nodes import JSON_TYPE
from plex_simulator.seeded_random import SeededRandom

PIN_LIFETIME = 900  # seconds
STRONG_CODE_LENGTH = 25
WEAK_CODE_LENGTH = 4
CODE_CHARACTERS = "abcdefghijkmnopqrstuvwxyz23456789"
FIRST_PIN_ID = 100_200_300


@dataclass(slots=True)
class Pin:
    id: int
    code: str
    client: str
    product: str
    created_at: int
    token: str | None = None
    expired: bool = False


class Pins:
    """The pins that clients have created. A user links a pin by entering its code on plex.tv."""

    def __init__(self, seed: int, now: Callable[[], int]) -> None:
        self._rng = SeededRandom(seed, 555)
        self._now = now
        self._lock = threading.Lock()
        self._pins: dict[int, Pin] = {}

    def create(self, client: str, product: str, *, strong: bool) -> Pin:
        with self._lock:
            number = len(self._pins)
            length = STRONG_CODE_LENGTH if strong else WEAK_CODE_LENGTH
            code = "".join(self._rng.choice(number, n, CODE_CHARACTERS) for n in range(length))
            pin = Pin(FIRST_PIN_ID + number, code, client, product, self._now())
            self._pins[pin.id] = pin
            return pin

    def find(self, pin_id: int, client: str) -> Pin | None:
        """Return a pin of a client, or None if it is unknown or expired."""
        pin = self._pins.get(pin_id)
        if pin is None or pin.client != client or self._is_expired(pin):
            return None
        return pin

    def seconds_left(self, pin: Pin) -> int:
        return pin.created_at + PIN_LIFETIME - self._now()

    def link(self, pin_id: int, user: User) -> None:
        """Link a pin to a user; raise KeyError if the pin is unknown."""
        self._pins[pin_id].token = user.token

    def link_code(self, code: str, user: User) -> bool:
        """Link the pin with a code, in upper or lower case; return whether there is such a pin."""
        for pin in self._pins.values():
            if pin.code.lower() == code.lower() and not self._is_expired(pin):
                pin.token = user.token
                return True
        return False

    def expire(self, pin_id: int) -> None:
        self._pins[pin_id].expired = True

    def _is_expired(self, pin: Pin) -> bool:
        return pin.expired or self.seconds_left(pin) <= 0


def respond(
    request: Request,
    pins: Pins,
    machine_identifier: str,
    name: str,
    version: str,
    *,
    authenticated: bool,
) -> Response:
    """Answer a request to a path under /api/v2."""
    match request.method, *request.path.strip("/").split("/")[2:]:
        case "POST", "pins":
            client = request.headers.get("x-plex-client-identifier", "")
            if not client:
                return _error_response(400, 1000, "X-Plex-Client-Identifier is missing")
            product = request.headers.get("x-plex-product", "")
            pin = pins.create(client, product, strong=request.flag("strong"))
            return _json_response(201, _describe_pin(pins, pin))
        case "GET", "pins", pin_id if pin_id.isascii() and pin_id.isdigit():
            client = request.headers.get("x-plex-client-identifier", "")
            found = pins.find(int(pin_id), client)
            if found is None:
                return _error_response(404, 1020, "Code not found or expired")
            return _json_response(200, _describe_pin(pins, found))
        case ("GET", "user") | ("GET", "resources") if not authenticated:
            return _error_response(401, 1001, "User could not be authenticated")
        case "GET", "user":
            return _json_response(200, _describe_user(request.user, machine_identifier))
        case "GET", "resources":
            server = _describe_server(request, machine_identifier, name, version)
            return _json_response(200, [server])
    return _error_response(404, 1002, "Not Found")


def show_link_page(request: Request, pins: Pins, owner: User) -> Response:
    """Show the page where a user enters a code; the owner is always signed in there."""
    message = ""
    if code := request.arg("code").strip():
        is_linked = pins.link_code(code, owner)
        message = "Linked. You may close this page." if is_linked else "There is no such code."
    page = f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Link (simulated plex.tv)</title>
<meta name="viewport" content="width=device-width"></head>
<body><h1>Link</h1><p role="status">{message}</p>
<form><label>Code <input name="code" autofocus></label> <button>Link</button></form>
</body></html>"""
    return Response(200, page.encode(), "text/html; charset=utf-8")


def _json_response(status: int, content: Any) -> Response:
    return Response(status, json.dumps(content, ensure_ascii=False).encode(), JSON_TYPE)


def _error_response(status: int, code: int, message: str) -> Response:
    error = {"code": code, "message": message, "status": status}
    return _json_response(status, {"errors": [error]})


def _format_time(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _describe_pin(pins: Pins, pin: Pin) -> dict[str, Any]:
    return {
        "id": pin.id,
        "code": pin.code,
        "product": pin.product,
        "trusted": False,
        "clientIdentifier": pin.client,
        "location": {"code": "DK", "country": "Denmark", "time_zone": "Europe/Copenhagen"},
        "expiresIn": pins.seconds_left(pin),
        "createdAt": _format_time(pin.created_at),
        "expiresAt": _format_time(pin.created_at + PIN_LIFETIME),
        "authToken": pin.token,
        "newRegistration": None if pin.token is None else False,
    }


def _describe_user(user: User, machine_identifier: str) -> dict[str, Any]:
    return {
        "id": 7_000_000 + user.id,
        "uuid": machine_identifier[:16],
        "username": user.name,
        "title": user.name,
        "email": user.email,
        "friendlyName": "",
        "confirmed": True,
        "thumb": f"https://plex.tv/users/{machine_identifier[:16]}/avatar?c={user.id}",
        "authToken": user.token,
        "subscription": {
            "active": user.is_owner,
            "status": "Active" if user.is_owner else "Inactive",
            "plan": "lifetime" if user.is_owner else None,
            "features": ["pass", "sync", "collections"] if user.is_owner else [],
        },
    }


def _describe_server(
    request: Request, machine_identifier: str, name: str, version: str
) -> dict[str, Any]:
    address, _, port = request.url.removeprefix("http://").rpartition(":")
    return {
        "name": name,
        "product": "Plex Media Server",
        "productVersion": version,
        "platform": "Linux",
        "platformVersion": "22.04.3 LTS (Jammy Jellyfish)",
        "device": "PC",
        "clientIdentifier": machine_identifier,
        "createdAt": "2021-03-14T15:09:26Z",
        "lastSeenAt": "2024-01-01T00:00:00Z",
        "provides": "server",
        "ownerId": None if request.user.is_owner else 7_000_001,
        "sourceTitle": None,
        "publicAddress": "203.0.113.10",
        "accessToken": request.user.token,
        "owned": request.user.is_owner,
        "home": False,
        "synced": False,
        "relay": True,
        "presence": True,
        "httpsRequired": False,
        "publicAddressMatches": True,
        "dnsRebindingProtection": False,
        "natLoopbackSupported": False,
        "connections": [
            {
                "protocol": "http",
                "address": address,
                "port": int(port),
                "uri": request.url,
                "local": True,
                "relay": False,
                "IPv6": False,
            },
            {
                "protocol": "https",
                "address": "203.0.113.10",
                "port": 8443,
                "uri": f"https://203-0-113-10.{machine_identifier[:32]}.plex.direct:8443",
                "local": False,
                "relay": True,
                "IPv6": False,
            },
        ],
    }
