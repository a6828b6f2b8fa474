"""Signing in with a pin: /api/v2/pins.

A client creates a pin and waits; a person links it to an account; the client gets a token.
"""

import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from plex_simulator.messages import Request, Response
from plex_simulator.plextv import responses
from plex_simulator.plextv.responses import NotFound, Refused
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
            code = self._make_code(number, length)
            pin = Pin(FIRST_PIN_ID + number, code, client, product, self._now())
            self._pins[pin.id] = pin
            return pin

    def _make_code(self, number: int, length: int) -> str:
        """Make a code that no open pin has: whoever enters it must link this pin, and no other."""
        for start in itertools.count(0, length):
            places = range(start, start + length)
            code = "".join(self._rng.choice(number, n, CODE_CHARACTERS) for n in places)
            if self.find_code(code) is None:
                break
        return code

    def find(self, pin_id: int, client: str) -> Pin | None:
        """Return a pin of a client, or None if it is unknown or expired."""
        pin = self._pins.get(pin_id)
        if pin is None or pin.client != client or self._is_expired(pin):
            return None
        return pin

    def seconds_left(self, pin: Pin) -> int:
        return pin.created_at + PIN_LIFETIME - self._now()

    def get(self, pin_id: int) -> Pin:
        """Return a pin; raise KeyError if it is unknown."""
        return self._pins[pin_id]

    def find_code(self, code: str) -> Pin | None:
        """Return the pin with a code, in upper or lower case, or None if there is none."""
        for pin in self._pins.values():
            if pin.code.lower() == code.lower() and not self._is_expired(pin):
                return pin
        return None

    def expire(self, pin_id: int) -> None:
        self._pins[pin_id].expired = True

    def _is_expired(self, pin: Pin) -> bool:
        return pin.expired or self.seconds_left(pin) <= 0


def respond(pins: Pins, request: Request, method: str, path: list[str]) -> Response:
    """Create a pin, or show one to the client that created it."""
    client = request.headers.get("x-plex-client-identifier", "")
    match method, *path:
        case ("POST",):
            return _create(pins, request, client)
        case "GET", pin_id if pin_id.isascii() and pin_id.isdigit():
            pin = pins.find(int(pin_id), client)
            if pin is None:
                raise Refused(404, 1020, "Code not found or expired")
            return responses.respond(request, "pin", _describe_pin(pins, pin))
    raise NotFound


def _create(pins: Pins, request: Request, client: str) -> Response:
    if not client:
        raise Refused(400, 1000, "X-Plex-Client-Identifier is missing")
    product = request.headers.get("x-plex-product", "")
    pin = pins.create(client, product, strong=request.flag("strong"))
    return responses.respond(request, "pin", _describe_pin(pins, pin), 201)


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
