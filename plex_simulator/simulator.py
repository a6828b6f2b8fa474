"""The simulator as tests use it: start, look, break, heal, change, close."""

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, Self

from plex_simulator import control
from plex_simulator.catalogue import Catalogue
from plex_simulator.faults import Faults, matches
from plex_simulator.messages import Reply
from plex_simulator.models import User
from plex_simulator.notifications import Broadcast
from plex_simulator.plextv import Pins
from plex_simulator.routing import World
from plex_simulator.server import PlexHTTPServer, Served
from plex_simulator.tables.item_table import Sizes


class Simulator:
    """A Plex Media Server on made-up media, on 127.0.0.1 and in background threads.

    The same seed, sizes and `now` (epoch seconds) make the same catalogue. Sizes are the fields
    of `Sizes`: movies=, shows=, seasons=, episodes=, artists=, albums=, tracks=, photo_albums=,
    photos=, videos=, hidden=, collections=.
    """

    def __init__(
        self,
        *,
        seed: int = 7,
        now: int | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        owner_token: str = "owner-token-of-the-simulator",  # noqa: S107 - opens nothing real
        viewer_token: str = "viewer-token-of-the-simulator",  # noqa: S107
        **sizes: int,
    ) -> None:
        self.owner_token = owner_token
        self.viewer_token = viewer_token
        started = int(time.time()) if now is None else now
        self.catalogue = Catalogue(seed, started, Sizes(**sizes), owner_token, viewer_token)
        self.broadcast = Broadcast()
        self.catalogue.listeners.append(self.broadcast.send_change)
        self._pins = Pins(seed, self.catalogue.now)
        self.machine_identifier = World.machine_identifier(seed)
        self._world = World(self.catalogue, self.broadcast, self._pins, self.machine_identifier)
        self._faults = Faults()
        self._lock = threading.RLock()
        self._reopening: threading.Timer | None = None
        self._server = self._listen((host, port))
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def close(self) -> None:
        """Stop at once: end every fault, cut every connection, free the port."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            if self._reopening is not None:
                self._reopening.cancel()
            self._faults.clear()
            self._stop_listening()

    # Requests

    @property
    def requests(self) -> Sequence[Served]:
        """List the last 100,000 requests since the start or the last reset, without tokens."""
        return tuple(self._server.served)

    def reset_requests(self) -> None:
        self._server.served.clear()

    def count(self, path: str = "/") -> int:
        """Count requests whose path begins with a prefix, or is found by a ^regex."""
        return sum(matches(path, served.path) for served in self.requests)

    # Faults

    def fault(
        self, kind: str, path: str | None = None, times: int | None = None, **options: Any
    ) -> None:
        """Go wrong in one of the ways listed in `faults.KINDS`, until healed or `times` are up."""
        fault = self._faults.add(kind, path, times, options)
        if kind == "refused":
            with self._lock:
                self._stop_listening()
                seconds = fault.options["seconds"]
                if seconds is not None:
                    self._reopening = threading.Timer(float(seconds), self.heal)
                    self._reopening.daemon = True
                    self._reopening.start()

    def heal(self) -> None:
        """Switch all faults off; a closed port opens again."""
        with self._lock:
            if self._closed:
                return
            self._faults.clear()
            if self._server.closing.is_set():
                served = self._server.served
                self._server = self._listen((self._host, self.port))
                self._server.served = served

    @property
    def faults(self) -> list[dict[str, Any]]:
        return self._faults.report()

    # Notifications

    def drop_listeners(self) -> int:
        """Hang up on everyone who listens for notifications; tell how many those were."""
        return self.broadcast.drop()

    # The plex.tv side

    def link_pin(self, pin_id: int, user: User | None = None) -> None:
        """Link a pin, as if the user had typed its code at plex.tv/link; KeyError if unknown."""
        self._pins.link(pin_id, user or self.catalogue.owner)

    def expire_pin(self, pin_id: int) -> None:
        self._pins.expire(pin_id)

    # Listening

    def _control(self, method: str, path: str, query: Mapping[str, str], body: bytes) -> Reply:
        return control.answer(self, method, path, query, body)

    @property
    def _host(self) -> str:
        return str(self._server.server_address[0])

    def _listen(self, address: tuple[str, int]) -> PlexHTTPServer:
        server = PlexHTTPServer(address, self._world, self._faults, self._control)
        threading.Thread(
            target=server.serve_forever, args=(0.05,), name="plex-simulator", daemon=True
        ).start()
        return server

    def _stop_listening(self) -> None:
        if self._server.closing.is_set():
            return
        self._server.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self.broadcast.drop()
        self._server.hang_up()
