"""The simulator for tests and the command line: start it, change it, add faults, close it."""

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

from plex_simulator import control
from plex_simulator.accounts import Accounts
from plex_simulator.catalogue import LIBRARY_KEYS, Catalogue
from plex_simulator.endpoints.sessions import PLAYERS
from plex_simulator.faults import Faults, matches
from plex_simulator.messages import Response
from plex_simulator.models import Account
from plex_simulator.notifications import Broadcast
from plex_simulator.playback import Playback
from plex_simulator.plextv.pins import Pins
from plex_simulator.plextv.servers import Address, OtherServer, make_addresses
from plex_simulator.plextv.site import ServerIdentity, Site
from plex_simulator.preferences import Preferences
from plex_simulator.preparation import Preparation
from plex_simulator.routing import NAME, VERSION, ServerState, make_machine_identifier
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
        started_at = int(time.time()) if now is None else now
        self.accounts = Accounts(seed, LIBRARY_KEYS, owner_token, viewer_token)
        self.catalogue = Catalogue(
            seed, started_at, Sizes(**sizes), self.accounts.all, edge_cases=edge_cases
        )
        self.broadcast = Broadcast()
        self.catalogue.listeners.append(self.broadcast.send_change)
        self._pins = Pins(seed, self.catalogue.now)
        self.machine_identifier = make_machine_identifier(seed)
        self._state = ServerState(
            self.catalogue,
            self.broadcast,
            Playback(first_number=len(PLAYERS) + 1),
            Preferences(NAME),
            self.machine_identifier,
        )
        identity = ServerIdentity(self.machine_identifier, NAME, VERSION, len(LIBRARY_KEYS))
        self._plex_tv = Site(self.accounts, self._pins, identity)
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

    # Accounts

    @property
    def owner_token(self) -> str:
        """Return the owner's latest account token, or the server token if all are revoked."""
        return self.accounts.owner.token or self.accounts.owner.server_token

    @property
    def viewer_token(self) -> str:
        """Return the token that gives the viewer access to the server."""
        return self.accounts.viewer.server_token

    def add_account(self, name: str, **attributes: Any) -> Account:
        """Add an account with access to all libraries; `Accounts.add` describes the attributes."""
        account = self.accounts.add(name, **attributes)
        self.preparation.prepare([account])
        return account

    def set_filters(self, account: Account, filters: Mapping[str, str]) -> None:
        """Replace the filters of what is shared with an account, for instance filterMovies."""
        self.accounts.set_filters(account, filters)

    def unshare_library(self, account: Account, key: str) -> None:
        """Stop sharing a library with an account."""
        self.accounts.unshare_library(account, key)

    def remove_share(self, account: Account) -> None:
        """Take all access to the server from an account."""
        self.accounts.remove_share(account)

    def revoke_account_tokens(self, account: Account) -> None:
        """Revoke all account tokens of an account, as a new password does."""
        self.accounts.revoke_tokens(account)

    def rotate_server_token(self, account: Account) -> None:
        """Replace the server token of an account; the server refuses the old one."""
        self.accounts.rotate_server_token(account)

    def issue_jwt(self, account: Account) -> None:
        """Let plex.tv send a JWT as the access token of the server, which refuses it."""
        self.accounts.issue_jwt(account)

    def link_pin(self, pin_id: int, user: Account | None = None) -> None:
        """Sign an account in with a pin, by default the owner; raise KeyError if it is unknown."""
        self._plex_tv.link(self._pins.get(pin_id), user or self.accounts.owner)

    def expire_pin(self, pin_id: int) -> None:
        self._pins.expire(pin_id)

    # The servers that plex.tv lists

    def add_address(self, uri: str, *, local: bool = False, relay: bool = False) -> None:
        """Let plex.tv list one more address of this server; nothing needs to answer there."""
        self._plex_tv.more_addresses.append(Address(uri, local, relay))

    def add_server(
        self,
        name: str,
        machine_identifier: str,
        addresses: Iterable[Mapping[str, Any]] = (),
        *,
        access_token: str = "token-of-another-server",  # noqa: S107 - for the simulator only
        owned: bool = True,
        online: bool = True,
    ) -> None:
        """Let plex.tv list another server of the owner, at addresses {"uri", "local"?, "relay"?}.

        If it is not owned, somebody shares it with the owner.
        """
        made = make_addresses(addresses)
        server = OtherServer(name, machine_identifier, access_token, made, owned, online)
        self._plex_tv.other_servers.append(server)

    def remove_added_servers(self) -> None:
        """Let plex.tv forget the servers and addresses that were added."""
        self._plex_tv.other_servers.clear()
        self._plex_tv.more_addresses.clear()

    # The server

    def _control(self, method: str, path: str, query: Mapping[str, str], body: bytes) -> Response:
        return control.respond(self, method, path, query, body)

    @property
    def _host(self) -> str:
        return str(self._server.server_address[0])

    def _start_server(self, address: tuple[str, int]) -> PlexHTTPServer:
        server = PlexHTTPServer(address, self._state, self._plex_tv, self._faults, self._control)
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
