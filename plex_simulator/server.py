"""The HTTP server: authenticates requests, calls endpoints and applies faults."""

import logging
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from plex_simulator import event_streams
from plex_simulator.endpoints import (
    agents,
    editing,
    history,
    hubs,
    library,
    pictures,
    playlists,
    sessions,
    system,
    watching,
)
from plex_simulator.faults import Fault, Faults, apply_fault, endless_rows
from plex_simulator.messages import HTTPError, Request, Response
from plex_simulator.models import Account
from plex_simulator.plextv import pages, router
from plex_simulator.plextv.responses import is_plex_tv
from plex_simulator.plextv.site import Caller, Site
from plex_simulator.routing import ServerState, call_endpoint

log = logging.getLogger("plex_simulator")

MAX_URL_LENGTH = 8_000
MAX_RECORDED_REQUESTS = 100_000
EVENTSOURCE, WEBSOCKET = "/:/eventsource/notifications", "/:/websockets/notifications"
PAGES = {"/link": pages.show_link_page, "/auth": pages.show_auth_page}
TOKEN = "x-plex-token"  # noqa: S105 - the name of the header
ANONYMOUS = Account(id=0, plex_tv_id=0, uuid="", name="", email="", server_token="")
ROUTES = [
    *system.ROUTES,
    *sessions.ROUTES,
    *history.ROUTES,
    *watching.ROUTES,
    *library.ROUTES,
    *hubs.ROUTES,
    *playlists.ROUTES,
    *agents.ROUTES,
    *pictures.ROUTES,
    *editing.ROUTES,
    library.FILTER_CHOICES_ROUTE,
]
# Answers a request to /simulator/, from its method, path, query and body.
ControlHandler = Callable[[str, str, Mapping[str, str], bytes], Response]


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """A request that the server has answered, without the token."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    status: int  # 0 if there was no response
    size: int  # bytes of the response body
    user: str | None
    at: float
    seconds: float


class PlexHTTPServer(ThreadingHTTPServer):
    """The listening socket and all open connections."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(
        self,
        address: tuple[str, int],
        state: ServerState,
        plex_tv: Site,
        faults: Faults,
        control: ControlHandler,
    ) -> None:
        self.state = state
        self.plex_tv = plex_tv
        self.faults = faults
        self.control = control
        self.closing = threading.Event()
        self.forget_requests()
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(address, Handler)

    def forget_requests(self) -> None:
        """Delete the recorded requests. Those that are answered at this moment are not recorded."""
        self.recorded_requests: deque[RecordedRequest] = deque(maxlen=MAX_RECORDED_REQUESTS)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        """Close every open connection."""
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore closed connections. Errors of endpoints are logged where they occur."""

    @property
    def url(self) -> str:
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"


class Handler(BaseHTTPRequestHandler):
    """Answers the requests of one connection."""

    server: PlexHTTPServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 65_536  # Headers and body are sent together.

    def do_GET(self) -> None:
        self.handle_request()

    do_POST = do_PUT = do_DELETE = do_HEAD = do_GET

    def handle_request(self) -> None:
        """Answer a request and record it."""
        started = time.monotonic()
        recorded_requests = self.server.recorded_requests
        parts = urlsplit(self.path)
        path = unquote(parts.path)
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        headers = {key.lower(): value for key, value in self.headers.items()}
        length = headers.get("content-length", "0")
        body = self.rfile.read(int(length)) if length.isdigit() else b""
        if path.startswith("/simulator/"):
            self.send(self.server.control(self.command, path, dict(pairs), body))
            return
        token = headers.get(TOKEN) or dict(pairs).get("X-Plex-Token") or ""
        user = self.find_user(path, token)
        status = size = 0
        try:
            status, size = self.respond(path, pairs, headers, body, user, token)
        finally:
            recorded_requests.append(
                RecordedRequest(
                    method=self.command,
                    path=path,
                    query={key: value for key, value in pairs if key.lower() != TOKEN},
                    headers={key: value for key, value in headers.items() if key != TOKEN},
                    status=status,
                    size=size,
                    user=user.name if user else None,
                    at=time.time(),
                    seconds=time.monotonic() - started,
                )
            )

    def find_user(self, path: str, token: str) -> Account | None:
        """Return the account that a token belongs to, at plex.tv or on the server."""
        accounts = self.server.plex_tv.accounts
        if is_plex_tv(path):
            return accounts.with_account_token(token)
        return accounts.with_server_token(token)

    def respond(
        self,
        path: str,
        pairs: list[tuple[str, str]],
        headers: Mapping[str, str],
        body: bytes,
        user: Account | None,
        token: str,
    ) -> tuple[int, int]:
        """Send the response, or what a fault makes of it; return its status and its bytes."""
        fault = self.server.faults.next_for(path)
        if fault is not None and self.withhold_response(fault):
            return 0, 0
        if user is not None and path in (EVENTSOURCE, WEBSOCKET) and fault is None:
            return self.stream_notifications(path, headers), 0
        request = Request(
            self.command, path, pairs, headers, body, user or ANONYMOUS, self.server.url
        )
        response = self.make_response(request, user, token)
        if fault is None:
            self.send(response)
            return response.status, len(response.body)
        response = apply_fault(fault, response, request)
        self.send_with_fault(fault, response)
        return response.status, len(response.body)

    def make_response(self, request: Request, user: Account | None, token: str) -> Response:
        """Call the endpoint of a request; convert errors to responses."""
        state = self.server.state
        try:
            if len(self.path) > MAX_URL_LENGTH:
                raise HTTPError(414)
            if is_plex_tv(request.path):
                caller = None if user is None else Caller(user, token)
                return router.respond(self.server.plex_tv, request, caller)
            if request.path in PAGES:
                return PAGES[request.path](self.server.plex_tv, request)
            if user is None and request.path != "/identity":
                raise HTTPError(401)
            method = "GET" if request.method == "HEAD" else request.method
            for route in ROUTES:
                match = route.pattern.fullmatch(request.path)
                if match and route.method == method:
                    return call_endpoint(route, state, request, match)
            raise HTTPError(404)
        except HTTPError as error:
            return error.response()
        except Exception:
            log.exception("Unexpected error in %s %s", request.method, request.path)
            return HTTPError(500).response()

    # Sending

    def send(self, response: Response) -> None:
        self.send_head(response, len(response.body))
        if self.command != "HEAD":
            # What is longer than the buffer is sent at once. The last byte waits in the buffer
            # until the request is recorded: a test that has the whole response finds the request.
            body = memoryview(response.body)
            self.wfile.write(body[:-1])
            self.wfile.write(body[-1:])

    def send_head(self, response: Response, length: int | None) -> None:
        """Send status and headers. Without a length, the body ends when the connection closes."""
        self.send_response(response.status)
        self.send_header("X-Plex-Protocol", "1.0")
        self.send_header("Content-Type", response.type)
        self.send_header("Cache-Control", "no-cache")
        for name, value in response.headers.items():
            self.send_header(name, value)
        if length is None:
            self.send_header("Connection", "close")
            self.close_connection = True
        else:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def stream_notifications(self, path: str, headers: Mapping[str, str]) -> int:
        """Send notifications until the client or the server closes the connection."""
        broadcast, closing = self.server.state.broadcast, self.server.closing
        listener = broadcast.subscribe()
        self.close_connection = True
        try:
            if path == EVENTSOURCE:
                self.send_head(Response(type="text/event-stream"), None)
                self.wfile.flush()
                event_streams.send_events(listener, self.wfile, closing)
                return 200
            key = headers.get("sec-websocket-key")
            if key is None:
                self.send(HTTPError(400).response())
                return 400
            self.send_response(101)
            self.send_header("Upgrade", "websocket")
            self.send_header("Connection", "Upgrade")
            self.send_header("Sec-WebSocket-Accept", event_streams.websocket_accept(key))
            self.end_headers()
            self.wfile.flush()
            event_streams.send_websocket_messages(
                listener, self.connection, self.rfile, self.wfile, closing
            )
            return 101
        finally:
            broadcast.unsubscribe(listener)

    # Faults

    def withhold_response(self, fault: Fault) -> bool:
        """Delay the response as the fault requires; return True if there is no response at all."""
        if fault.kind == "silent":
            fault.ended.wait()
        elif fault.kind == "slow":
            fault.ended.wait(float(fault.options["delay"]))
        if fault.kind in ("silent", "disconnect"):
            self.close_connection = True
            return True
        return False

    def send_with_fault(self, fault: Fault, response: Response) -> None:
        """Send a response in the way that the fault requires."""
        if fault.kind == "endless":
            self.send_head(Response(), None)
            self.send_pieces(endless_rows(), fault)
        elif fault.kind == "cut":
            self.send_head(response, len(response.body))
            self.wfile.write(response.body[: len(response.body) // 2])
            self.close_connection = True
        elif fault.kind == "drip_body":
            self.send_head(response, len(response.body))
            self.wfile.flush()
            self.send_slowly(response.body, fault)
        elif fault.kind == "drip_headers":
            lines = [f"HTTP/1.1 {response.status} OK", f"Content-Type: {response.type}"]
            lines += [f"Content-Length: {len(response.body)}", "", ""]
            self.send_slowly("\r\n".join(lines).encode() + response.body, fault)
        else:
            self.send(response)

    def send_pieces(self, pieces: Iterable[bytes], fault: Fault) -> None:
        """Send the pieces until the fault is switched off."""
        for piece in pieces:
            if fault.ended.is_set():
                return
            self.wfile.write(piece)
            self.wfile.flush()

    def send_slowly(self, content: bytes, fault: Fault) -> None:
        """Send one byte per interval; close the connection if the fault is switched off."""
        interval = float(fault.options["interval"])
        for position in range(len(content)):
            if fault.ended.wait(interval):
                self.close_connection = True
                return
            self.wfile.write(content[position : position + 1])
            self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing, because URLs can contain tokens. `Simulator.requests` records requests."""
