"""HTTP: takes requests, knows who asks, finds the endpoint, and misbehaves when told to."""

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

from plex_simulator import event_streams, plextv
from plex_simulator.endpoints import agents, editing, hubs, library, pictures, playlists, system
from plex_simulator.faults import Fault, Faults, endless_rows, spoilt
from plex_simulator.messages import Refusal, Reply, Request
from plex_simulator.models import User
from plex_simulator.routing import NAME, VERSION, World, call

log = logging.getLogger("plex_simulator")

LONGEST_URL = 8_000
REMEMBERED = 100_000  # requests; older ones are forgotten
EVENTS, WEBSOCKET = "/:/eventsource/notifications", "/:/websockets/notifications"
TOKEN = "x-plex-token"  # noqa: S105 - the header's name
ROUTES = [
    *system.ROUTES,
    *library.ROUTES,
    *hubs.ROUTES,
    *playlists.ROUTES,
    *agents.ROUTES,
    *pictures.ROUTES,
    *editing.ROUTES,
    library.CHOICES,
]
# What /simulator/ answers, outside Plex: method, path, query, body → reply.
Control = Callable[[str, str, Mapping[str, str], bytes], Reply]


@dataclass(frozen=True, slots=True)
class Served:
    """One request that was answered; the token is in none of its parts."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    status: int  # 0: never answered
    user: str | None
    at: float
    seconds: float


class PlexHTTPServer(ThreadingHTTPServer):
    """The listening socket and all open connections."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(
        self, address: tuple[str, int], world: World, faults: Faults, control: Control
    ) -> None:
        self.world = world
        self.faults = faults
        self.control = control
        self.closing = threading.Event()
        self.served: deque[Served] = deque(maxlen=REMEMBERED)
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(address, Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """Cut every open connection."""
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that hangs up is no error, and real ones are logged already."""

    @property
    def url(self) -> str:
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"


class Handler(BaseHTTPRequestHandler):
    server: PlexHTTPServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 65_536  # headers and body leave together

    def do_GET(self) -> None:
        self.take()

    do_POST = do_PUT = do_DELETE = do_HEAD = do_GET

    def take(self) -> None:
        """Answer one request and remember it."""
        begun = time.monotonic()
        parts = urlsplit(self.path)
        path = unquote(parts.path)
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        headers = {key.lower(): value for key, value in self.headers.items()}
        length = headers.get("content-length", "0")
        body = self.rfile.read(int(length)) if length.isdigit() else b""
        if path.startswith("/simulator/"):
            self.send(self.server.control(self.command, path, dict(pairs), body))
            return
        user = self.who(headers.get(TOKEN) or dict(pairs).get("X-Plex-Token"))
        status = 0
        try:
            status = self.answer(path, pairs, headers, body, user)
        finally:
            self.server.served.append(
                Served(
                    method=self.command,
                    path=path,
                    query={key: value for key, value in pairs if key.lower() != TOKEN},
                    headers={key: value for key, value in headers.items() if key != TOKEN},
                    status=status,
                    user=user.name if user else None,
                    at=time.time(),
                    seconds=time.monotonic() - begun,
                )
            )

    def who(self, token: str | None) -> User | None:
        users = self.server.world.catalogue.users
        return next((user for user in users if token and user.token == token), None)

    def answer(
        self,
        path: str,
        pairs: list[tuple[str, str]],
        headers: Mapping[str, str],
        body: bytes,
        user: User | None,
    ) -> int:
        fault = self.server.faults.take(path)
        if fault is not None and self.hold(fault):
            return 0
        if user is not None and path in (EVENTS, WEBSOCKET) and fault is None:
            return self.stream(path, headers)
        nobody = User(0, "", "", "", frozenset())
        request = Request(self.command, path, pairs, headers, body, user or nobody, self.server.url)
        good = self.reply_to(request, known=user is not None)
        if fault is None:
            self.send(good)
            return good.status
        reply = spoilt(fault, good, request.wants_json)
        self.send_badly(fault, reply)
        return reply.status

    def reply_to(self, request: Request, *, known: bool) -> Reply:
        try:
            if len(self.path) > LONGEST_URL:
                raise Refusal(414)
            if request.path.startswith("/api/v2/"):
                world = self.server.world
                return plextv.answer(request, world.pins, world.machine, NAME, VERSION, known=known)
            if request.path == "/link":
                return plextv.link(
                    request, self.server.world.pins, self.server.world.catalogue.owner
                )
            if not known and request.path != "/identity":
                raise Refusal(401)
            verb = "GET" if request.method == "HEAD" else request.method
            for entry in ROUTES:
                match = entry.pattern.fullmatch(request.path)
                if match and entry.method == verb:
                    return call(entry, self.server.world, request, match)
            raise Refusal(404)
        except Refusal as refusal:
            return refusal.reply()
        except Exception:
            log.exception("The simulator failed at %s %s", request.method, request.path)
            return Refusal(500).reply()

    # Sending

    def send(self, reply: Reply) -> None:
        self.head(reply, len(reply.body))
        if self.command != "HEAD":
            self.wfile.write(reply.body)

    def head(self, reply: Reply, length: int | None) -> None:
        self.send_response(reply.status)
        self.send_header("X-Plex-Protocol", "1.0")
        self.send_header("Content-Type", reply.type)
        self.send_header("Cache-Control", "no-cache")
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if length is None:
            self.send_header("Connection", "close")
            self.close_connection = True
        else:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def stream(self, path: str, headers: Mapping[str, str]) -> int:
        """Keep a listener informed until either side has had enough."""
        broadcast, closing = self.server.world.broadcast, self.server.closing
        listener = broadcast.subscribe()
        self.close_connection = True
        try:
            if path == EVENTS:
                self.head(Reply(type="text/event-stream"), None)
                self.wfile.flush()
                event_streams.events(listener, self.wfile, closing)
                return 200
            key = headers.get("sec-websocket-key")
            if key is None:
                self.send(Refusal(400).reply())
                return 400
            self.send_response(101)
            self.send_header("Upgrade", "websocket")
            self.send_header("Connection", "Upgrade")
            self.send_header("Sec-WebSocket-Accept", event_streams.websocket_accept(key))
            self.end_headers()
            self.wfile.flush()
            event_streams.websocket(listener, self.connection, self.rfile, self.wfile, closing)
            return 101
        finally:
            broadcast.unsubscribe(listener)

    # Misbehaving

    def hold(self, fault: Fault) -> bool:
        """Wait as the fault says; tell whether that was all that happens."""
        if fault.kind == "silent":
            fault.over.wait()
        elif fault.kind == "slow":
            fault.over.wait(float(fault.options["delay"]))
        if fault.kind in ("silent", "disconnect"):
            self.close_connection = True
            return True
        return False

    def send_badly(self, fault: Fault, reply: Reply) -> None:
        if fault.kind == "endless":
            self.head(Reply(), None)
            self.pour(endless_rows(), fault)
        elif fault.kind == "cut":
            self.head(reply, len(reply.body))
            self.wfile.write(reply.body[: len(reply.body) // 2])
            self.close_connection = True
        elif fault.kind == "drip_body":
            self.head(reply, len(reply.body))
            self.wfile.flush()
            self.drip(reply.body, fault)
        elif fault.kind == "drip_headers":
            lines = [f"HTTP/1.1 {reply.status} OK", f"Content-Type: {reply.type}"]
            lines += [f"Content-Length: {len(reply.body)}", "", ""]
            self.drip("\r\n".join(lines).encode() + reply.body, fault)
        else:
            self.send(reply)

    def pour(self, pieces: Iterable[bytes], fault: Fault) -> None:
        for piece in pieces:
            if fault.over.is_set():
                return
            self.wfile.write(piece)
            self.wfile.flush()

    def drip(self, body: bytes, fault: Fault) -> None:
        interval = float(fault.options["interval"])
        for place in range(len(body)):
            if fault.over.wait(interval):
                self.close_connection = True
                return
            self.wfile.write(body[place : place + 1])
            self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        """Write no log: URLs may hold tokens, and `requests` has them without."""
