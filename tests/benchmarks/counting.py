"""Count what single requests cost in this process: calls of functions, queries, round trips.

`calls` runs this file in a checkout, which may be another one than this file's own: it names
nothing of the service but its packages. It reads the requests as JSON from its standard input and
writes the counts as JSON to its output.
"""

import asyncio
import json
import os
import sys
import threading
import time
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

PACKAGES = ("medianest", "accounts", "plex_integration")
# A process checks its settings once a second, and the thread that renews locks ends after one. The
# request after this pause does both, so that no counted request does.
PAUSE_SECONDS = 1.1

CALLED = {
    "queries": ("django.db.backends.utils", "CursorWrapper.execute"),
    "round trips to Redis": ("redis.connection", "AbstractConnection.send_packed_command"),
    "requests to Plex": ("urllib3.connectionpool", "HTTPConnectionPool.urlopen"),
}
"""The function whose calls are counted under each name."""
IN_THE_LOOP = ("medianest.store.loop_connection", "_Pipeline._flush")
"""The function that sends commands from the event loop: round trips to Redis as well."""


class Recorder:
    """Record every call of a Python function, on every thread, while it is on."""

    def __init__(self) -> None:
        self.calls: list[tuple[int, str, str]] = []
        self.is_on = False

    def __call__(self, frame: Any, event: str, _argument: Any) -> None:
        if event == "call" and self.is_on:
            module = frame.f_globals.get("__name__", "")
            self.calls.append((threading.get_ident(), module, frame.f_code.co_qualname))

    def counts(self) -> dict[str, int]:
        """Return the counts of the recorded calls."""
        own = [(thread, _room(module)) for thread, module, _ in self.calls if _is_own(module)]
        called = [(module, function) for _, module, function in self.calls]
        counts = {name: called.count(function) for name, function in CALLED.items()}
        counts["round trips to Redis"] += called.count(IN_THE_LOOP)
        return {
            "own calls": len(own),
            "room changes": _changes(own),
            "all Python calls": len(called),
        } | counts


def _is_own(module: str) -> bool:
    return module.partition(".")[0] in PACKAGES


def _room(module: str) -> str:
    return ".".join(module.split(".")[:2])


def _changes(own: list[tuple[int, str]]) -> int:
    """Return how often a call is followed by one in another room, on the same thread."""
    rooms: dict[int, list[str]] = {}
    for thread, room in own:
        rooms.setdefault(thread, []).append(room)
    return sum(one != other for each in rooms.values() for one, other in pairwise(each))


class Client:
    """Send requests to the service's ASGI application, in an event loop of this thread.

    `token` is that of the user who sends; `headers` are sent too.
    """

    def __init__(
        self, token: str, recorder: Recorder, headers: Mapping[str, str] | None = None
    ) -> None:
        from medianest.asgi import application

        self.token = token
        self._application, self._recorder, self._headers = application, recorder, headers or {}
        self._loop = asyncio.new_event_loop()

    def send(self, method: str, path: str, body: Any, *, counted: bool = False) -> str:
        """Send a request that must succeed; return how the cache answered."""
        start = self.exchange(method, path, body, counted=counted).sent[0]
        headers = {name.lower(): value for name, value in start["headers"]}
        return str(headers.get(b"x-plex-cache-status", b"").decode())

    def exchange(self, method: str, path: str, body: Any, *, counted: bool = False) -> "Exchange":
        """Send a request that must succeed; return what was sent and answered."""
        exchange = Exchange(b"" if body is None else json.dumps(body).encode())
        scope = self._scope(method, path, len(exchange.body))
        self._recorder.is_on = counted
        self._loop.run_until_complete(self._application(scope, exchange.receive, exchange.send))
        self._recorder.is_on = False
        start, *rest = exchange.sent
        if start["status"] not in (200, 201):
            sys.exit(f"{method} {path}: {start['status']} {rest}")
        return exchange

    def _scope(self, method: str, path: str, length: int) -> dict[str, Any]:
        path, _, query = path.partition("?")
        headers = {
            "host": "127.0.0.1",
            "accept": "application/json",
            "accept-encoding": "gzip",
            "authorization": f"Bearer {self.token}",
            **self._headers,
        }
        if length:
            headers |= {"content-type": "application/json", "content-length": str(length)}
        return {
            "type": "http",
            "method": method,
            "scheme": "http",
            "path": path,
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 50_000),
            "server": ("127.0.0.1", 8000),
        }


class Exchange:
    """The body that is sent, and the messages that come back."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.sent: list[dict[str, Any]] = []

    async def receive(self) -> dict[str, Any]:
        return {"type": "http.request", "body": self.body, "more_body": False}

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)


def main() -> None:
    """Count each path's requests several times, and print all counts."""
    wanted = json.load(sys.stdin)
    recorder = Recorder()
    threading.setprofile(recorder)  # every thread that is started from now on
    client = Client(wanted["token"], recorder)
    sys.setprofile(recorder)
    counts = {}
    for name, path in wanted["paths"].items():
        for _ in range(wanted["warm-up"]):
            _run(client, path)
        counts[name] = [_counted(client, recorder, path) for _ in range(wanted["runs"])]
    sys.setprofile(None)
    json.dump(counts, sys.stdout)


def _counted(client: Client, recorder: Recorder, path: Any) -> dict[str, int]:
    time.sleep(PAUSE_SECONDS)
    recorder.calls.clear()
    _run(client, path)
    return recorder.counts()


def _run(client: Client, path: Any) -> None:
    """Prepare a request, send it, and undo what it did."""
    for each in path["before"]:
        client.send(*each)
    _delete(path["uncached"])
    answered = client.send(*path["request"], counted=True)
    if answered != path["answered"]:
        sys.exit(f"{path['request']}: {answered or 'not from the cache'}")
    for each in path["after"]:
        client.send(*each)


def _delete(pattern: str) -> None:
    import redis

    if pattern:
        client = redis.Redis.from_url(os.environ["REDIS_URL"])
        keys = list(client.scan_iter(pattern, count=1000))
        if not client.delete(*keys):
            sys.exit(f"nothing is cached under {pattern}")
        client.close()


if __name__ == "__main__":
    main()
