"""Count what single requests cost in this process: calls of functions, queries, round trips.

`calls` runs this file in a checkout, which may be another one than this file's own: it names
nothing of the service but its packages. It reads the requests as JSON from its standard input and
writes the counts as JSON to its output.
"""

import io
import json
import os
import sys
import threading
import time
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
        return {
            "own calls": len(own),
            "room changes": _changes(own),
            "all Python calls": len(called),
        } | {name: called.count(function) for name, function in CALLED.items()}


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
    """Send requests to the service's WSGI application in this thread."""

    def __init__(self, token: str, recorder: Recorder) -> None:
        from django.core.wsgi import get_wsgi_application

        self._application, self._token, self._recorder = get_wsgi_application(), token, recorder

    def send(self, method: str, path: str, body: Any, *, counted: bool = False) -> str:
        """Send a request that must succeed; return how the cache answered."""
        environ = self._environ(method, path, b"" if body is None else json.dumps(body).encode())
        started: list[Any] = []
        self._recorder.is_on = counted
        response = self._application(environ, lambda *args: started.extend(args))
        written = b"".join(response)
        response.close()
        self._recorder.is_on = False
        status, headers = started[:2]
        if not status.startswith("20"):
            sys.exit(f"{method} {path}: {status} {written!r}")
        return str(dict(headers).get("X-Plex-Cache-Status", ""))

    def _environ(self, method: str, path: str, body: bytes) -> dict[str, Any]:
        path, _, query = path.partition("?")
        return {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "8000",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_HOST": "127.0.0.1",
            "HTTP_ACCEPT": "application/json",
            "HTTP_ACCEPT_ENCODING": "gzip",
            "HTTP_AUTHORIZATION": f"Bearer {self._token}",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }


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
