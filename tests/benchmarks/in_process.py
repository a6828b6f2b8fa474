"""Answer requests in this process, and say how much processor time they took.

A process of its own for each kind, because each has settings of its own. It reads its job as a line
of JSON and says that it is ready. Then it reads numbers, answers so many requests each time, and
prints the seconds of processor time, those of all its threads.
"""

import gzip
import io
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import cycle
from pathlib import Path
from typing import Any

from plexapi.server import PlexServer

from tests.benchmarks.endpoints import ITEMS
from tests.benchmarks.scripts import Careful, written

Send = Callable[[str], object]
"""Sends the request of the user with a token."""


def main() -> None:
    """Do the job of the first line."""
    job = json.loads(sys.stdin.readline())
    send, tokens = SENDERS[job["kind"]](), cycle(job["tokens"])
    send(next(tokens))
    print("ready", flush=True)
    for line in sys.stdin:
        print(_seconds(send, tokens, int(line)), flush=True)


def _seconds(send: Send, tokens: Iterator[str], count: int) -> float:
    began = time.process_time()
    for _ in range(count):
        send(next(tokens))
    return time.process_time() - began


class _Service:
    """The service's ASGI application."""

    def __init__(self, headers: Mapping[str, str], *, wanted: str) -> None:
        # Django is only loaded where it is needed: python-plexapi's script has no settings.
        from tests.benchmarks.counting import Client, Recorder

        self._client = Client("", Recorder(), headers)
        self._wanted, self._is_loaded = wanted, False

    def __call__(self, token: str) -> None:
        self._client.token = token
        if not self._is_loaded:
            self._load()
        if (answered := self._client.send("GET", ITEMS.target, None)) != self._wanted:
            sys.exit(f"answered as {answered}")

    def _load(self) -> None:
        """Load the response, and keep it for the bare view and the stock recipe."""
        _, *rest = self._client.exchange("GET", ITEMS.target, None).sent
        body = b"".join(message["body"] for message in rest)
        folder = Path(os.environ["ANSWERS"])
        (folder / "items.gz").write_bytes(body)
        (folder / "items").write_bytes(gzip.decompress(body))
        self._is_loaded = True


class _Wsgi:
    """The WSGI application of the settings, with which the bare view and the recipe are served."""

    def __init__(self) -> None:
        from django.core.wsgi import get_wsgi_application

        self._application = get_wsgi_application()

    def __call__(self, token: str) -> None:
        response = self._application(self._environ(token), lambda *_: None)
        b"".join(response)
        response.close()
        if response.status_code != 200:
            sys.exit(f"answered with {response.status_code}")

    def _environ(self, token: str) -> dict[str, Any]:
        return {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": ITEMS.path,
            "QUERY_STRING": ITEMS.query.removeprefix("?"),
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "8000",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "127.0.0.1",
            "HTTP_ACCEPT_ENCODING": "gzip",
            "HTTP_AUTHORIZATION": f"Bearer {token}",
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(),
            "wsgi.errors": sys.stderr,
        }


def _careful() -> Send:
    script = Careful(PlexServer(os.environ["PLEX_URL"], os.environ["PLEX_TOKEN"]))
    return lambda _: written(script.movies())


SENDERS: Mapping[str, Callable[[], Send]] = {
    "hit": lambda: _Service({}, wanted="HIT"),
    "miss": lambda: _Service({"cache-control": "no-cache"}, wanted="MISS"),
    "bare": _Wsgi,
    "stock": _Wsgi,
    "careful": _careful,
}
"""What each kind sends its requests to."""

if __name__ == "__main__":
    main()
