"""The part of plex.tv that clients need to sign in: pins, the user, the user's servers.

Always JSON, as plex.tv answers when asked for it; but for the page where a code is typed in.
"""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from plex_simulator.generation.metadata import Dice
from plex_simulator.messages import Reply, Request
from plex_simulator.models import User
from plex_simulator.nodes import JSON_TYPE

LIFETIME = 900
STRONG = 25
WEAK = 4
LETTERS = "abcdefghijkmnopqrstuvwxyz23456789"


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
    """Codes shown to users until they link them on plex.tv."""

    def __init__(self, seed: int, now: Callable[[], int]) -> None:
        self._dice = Dice(seed, 555)
        self._now = now
        self._lock = threading.Lock()
        self._pins: dict[int, Pin] = {}

    def create(self, client: str, product: str, *, strong: bool) -> Pin:
        with self._lock:
            number = len(self._pins)
            drawn = (self._dice(number, n, len(LETTERS)) for n in range(STRONG if strong else WEAK))
            code = "".join(LETTERS[letter] for letter in drawn)
            pin = Pin(100_200_300 + number, code, client, product, self._now())
            self._pins[pin.id] = pin
            return pin

    def find(self, number: int, client: str) -> Pin | None:
        """Find a pin of this client that is still good."""
        pin = self._pins.get(number)
        if pin is None or pin.client != client or pin.expired or self.left(pin) <= 0:
            return None
        return pin

    def left(self, pin: Pin) -> int:
        return pin.created_at + LIFETIME - self._now()

    def link(self, number: int, user: User) -> None:
        """Link a pin to a user, as if the user had typed its code at plex.tv/link."""
        self._pins[number].token = user.token

    def link_code(self, code: str, user: User) -> bool:
        """Link the pin with this code, in any case; tell whether there was one."""
        found = [each for each in self._pins.values() if each.code.lower() == code.lower()]
        for pin in found:
            if not pin.expired and self.left(pin) > 0:
                pin.token = user.token
                return True
        return False

    def expire(self, number: int) -> None:
        self._pins[number].expired = True


def answer(
    request: Request, pins: Pins, machine: str, name: str, version: str, *, known: bool
) -> Reply:
    """Answer a call under /api/v2."""
    match request.method, *request.path.strip("/").split("/")[2:]:
        case "POST", "pins":
            client = request.headers.get("x-plex-client-identifier", "")
            if not client:
                return _refuse(400, 1000, "X-Plex-Client-Identifier is missing")
            product = request.headers.get("x-plex-product", "")
            pin = pins.create(client, product, strong=request.flag("strong"))
            return _reply(201, _pin(pins, pin))
        case "GET", "pins", number if number.isascii() and number.isdigit():
            client = request.headers.get("x-plex-client-identifier", "")
            found = pins.find(int(number), client)
            if found is None:
                return _refuse(404, 1020, "Code not found or expired")
            return _reply(200, _pin(pins, found))
        case ("GET", "user") | ("GET", "resources") if not known:
            return _refuse(401, 1001, "User could not be authenticated")
        case "GET", "user":
            return _reply(200, _user(request.user, machine))
        case "GET", "resources":
            return _reply(200, [_resource(request, machine, name, version)])
    return _refuse(404, 1002, "Not Found")


def link(request: Request, pins: Pins, owner: User) -> Reply:
    """Show plex.tv's page for codes, where the owner is always signed in."""
    said = ""
    if code := request.arg("code").strip():
        is_linked = pins.link_code(code, owner)
        said = "Linked. You may close this page." if is_linked else "There is no such code."
    page = f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Link (simulated plex.tv)</title>
<meta name="viewport" content="width=device-width"></head>
<body><h1>Link</h1><p role="status">{said}</p>
<form><label>Code <input name="code" autofocus></label> <button>Link</button></form>
</body></html>"""
    return Reply(200, page.encode(), "text/html; charset=utf-8")


def _reply(status: int, told: Any) -> Reply:
    return Reply(status, json.dumps(told, ensure_ascii=False).encode(), JSON_TYPE)


def _refuse(status: int, code: int, message: str) -> Reply:
    return _reply(status, {"errors": [{"code": code, "message": message, "status": status}]})


def _time(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _pin(pins: Pins, pin: Pin) -> dict[str, Any]:
    return {
        "id": pin.id,
        "code": pin.code,
        "product": pin.product,
        "trusted": False,
        "clientIdentifier": pin.client,
        "location": {"code": "DK", "country": "Denmark", "time_zone": "Europe/Copenhagen"},
        "expiresIn": pins.left(pin),
        "createdAt": _time(pin.created_at),
        "expiresAt": _time(pin.created_at + LIFETIME),
        "authToken": pin.token,
        "newRegistration": None if pin.token is None else False,
    }


def _user(user: User, machine: str) -> dict[str, Any]:
    return {
        "id": 7_000_000 + user.id,
        "uuid": machine[:16],
        "username": user.name,
        "title": user.name,
        "email": user.email,
        "friendlyName": "",
        "confirmed": True,
        "thumb": f"https://plex.tv/users/{machine[:16]}/avatar?c={user.id}",
        "authToken": user.token,
        "subscription": {
            "active": user.is_owner,
            "status": "Active" if user.is_owner else "Inactive",
            "plan": "lifetime" if user.is_owner else None,
            "features": ["pass", "sync", "collections"] if user.is_owner else [],
        },
    }


def _resource(request: Request, machine: str, name: str, version: str) -> dict[str, Any]:
    address, _, port = request.url.removeprefix("http://").rpartition(":")
    return {
        "name": name,
        "product": "Plex Media Server",
        "productVersion": version,
        "platform": "Linux",
        "platformVersion": "22.04.3 LTS (Jammy Jellyfish)",
        "device": "PC",
        "clientIdentifier": machine,
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
                "uri": f"https://203-0-113-10.{machine[:32]}.plex.direct:8443",
                "local": False,
                "relay": True,
                "IPv6": False,
            },
        ],
    }
