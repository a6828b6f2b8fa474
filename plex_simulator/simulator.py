"""The simulator for tests and the command line: start it, change it, add faults, close it."""

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, Self

from plex_simulator import control
from plex_simulator.catalogue import Catalogue
from plex_simulator.faults import Faults, matches
from plex_simulator.messages import Response
from plex_simulator.models import User
from plex_simulator.notifications import Broadcast
from plex_simulator.plextv import Pins
from plex_simulator.preparation import Preparation
from plex_simulator.routing import ServerState, make_machine_identifier
from plex_simulator.server import PlexHTTPServer, RecordedRequest
from plex_simulator.sizes import Sizes


class Simulator:
    """A simulated Plex Media Server with generated media, which runs in background threads.

    The same seed, sizes and `now` (in epoch seconds) give the same catalogue. With `edge_cases`,
    some titles, summaries, collections and playlists are of a kind that careless clients handle
    wrongly: markup, other scripts, line breaks, or nothing at all. Sizes are the fields
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
        owner_token: str = "owner-token-of-the-simulator",  # noqa: S107 - for the simulator only
        viewer_token: str = "viewer-token-of-the-simulator",  # noqa: S107
        edge_cases: bool = False,
        **sizes: int,
    ) -> None:
        self.owner_token = owner_token
        self.viewer_token = viewer_token
        started_at = int(time.time()) if now is None else now
        self.catalogue = Catalogue(
            seed, started_at, Sizes(**sizes), owner_token, viewer_token, edge_cases=edge_cases
        )
        self.broadcast = Broadcast()
        self.catalogue.listeners.append(self.broadcast.send_change)
        self._pins = Pins(seed, self.catalogue.now)
        self.machine_identifier = make_machine_identifier(seed)
        self._state = ServerState(
            self.catalogue, self.broadcast, self._pins, self.machine_identifier
        )
        self._faults = Faults()
        self._lock = threading.RLock()
        self._heal_timer: threading.Timer | None = None
        self._server = self._start_server((host, port))
        self.preparation = Preparation(self.catalogue)
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
        """Stop at once: end all faults, close all connections and free the port."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            if self._heal_timer is not None:
                self._heal_timer.cancel()
            self._faults.clear()
            self.preparation.stop()
            self._stop_server()

    # Requests

    @property
    def requests(self) -> Sequence[RecordedRequest]:
        """List the last 100,000 requests since the start or the last reset, without tokens."""
        return tuple(self._server.recorded_requests)

    def reset_requests(self) -> None:
        """Delete the recorded requests. Those that are answered at this moment are not recorded."""
        self._server.forget_requests()

    def count(self, path: str = "/") -> int:
        """Count the recorded requests whose path starts with a prefix or matches a `^regex`."""
        return sum(matches(path, request.path) for request in self.requests)

    # Faults

    def fault(
        self, kind: str, path: str | None = None, times: int | None = None, **options: Any
    ) -> None:
        """Switch on a fault from `faults.KINDS`, until `heal` or for a number of requests."""
        fault = self._faults.add(kind, path, times, options)
        if kind == "refused":
            with self._lock:
                self._stop_server()
                seconds = fault.options["seconds"]
                if seconds is not None:
                    self._heal_timer = threading.Timer(float(seconds), self.heal)
                    self._heal_timer.daemon = True
                    self._heal_timer.start()

    def heal(self) -> None:
        """Switch all faults off and open the port again if it was closed."""
        with self._lock:
            if self._closed:
                return
            self._faults.clear()
            if self._server.closing.is_set():
                recorded_requests = self._server.recorded_requests
                self._server = self._start_server((self._host, self.port))
                self._server.recorded_requests = recorded_requests

    @property
    def faults(self) -> list[dict[str, Any]]:
        """Describe the faults that are switched on."""
        return self._faults.report()

    # Notifications

    def drop_listeners(self) -> int:
        """Disconnect all clients that listen for notifications and return their number."""
        return self.broadcast.disconnect_all()

    # plex.tv

    def link_pin(self, pin_id: int, user: User | None = None) -> None:
        """Link a pin to a user, by default the owner; raise KeyError if the pin is unknown."""
        self._pins.link(pin_id, user or self.catalogue.owner)

    def expire_pin(self, pin_id: int) -> None:
        self._pins.expire(pin_id)

    # The server

    def _control(self, method: str, path: str, query: Mapping[str, str], body: bytes) -> Response:
        return control.respond(self, method, path, query, body)

    @property
    def _host(self) -> str:
        return str(self._server.server_address[0])

    def _start_server(self, address: tuple[str, int]) -> PlexHTTPServer:
        server = PlexHTTPServer(address, self._state, self._faults, self._control)
        threading.Thread(
            target=server.serve_forever, args=(0.05,), name="plex-simulator", daemon=True
        ).start()
        return server

    def _stop_server(self) -> None:
        if self._server.closing.is_set():
            return
        self._server.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self.broadcast.disconnect_all()
        self._server.close_connections()
