"""Measure misses in this process: the service's ASGI application, and scripts with python-plexapi.

`miss` runs this file. It reads what to ask for as JSON from its standard input and writes the
milliseconds of every round as JSON to its output.
"""

import gc
import json
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import redis
from plexapi.server import PlexServer

from tests.benchmarks.counting import Client, Recorder
from tests.benchmarks.scripts import Careful, Naive, written

WARM_UP = 3
# What the scripts do not build: signed links.
_LINKS = ("artUrl", "thumbUrl")


class Service:
    """Ask the service for what is not cached."""

    def __init__(self, token: str) -> None:
        self._client = Client(token, Recorder())
        self._redis = redis.Redis.from_url(os.environ["REDIS_URL"])

    def forget(self) -> None:
        """Delete the cached responses, but not the list of libraries."""
        for key in list(self._redis.scan_iter("medianest:cache:*", count=1000)):
            if b"responses-" in key and b"catalog" not in key:
                self._redis.delete(key)

    def get(self, path: str) -> None:
        """Send a request that the cache cannot answer."""
        status = self._client.send("GET", path, None)
        if status != "MISS":
            sys.exit(f"{path}: {status}")


def main() -> None:
    """Let all take turns, and print."""
    wanted = json.load(sys.stdin)
    service = Service(wanted["token"])
    server = PlexServer(os.environ["PLEX_URL"], os.environ["PLEX_TOKEN"])
    json.dump(
        {
            page: _rounds(service, contestants, wanted["rounds"])
            for page, contestants in _pages(service, server, wanted).items()
        },
        sys.stdout,
    )


def _pages(service: Service, server: PlexServer, wanted: Any) -> dict[str, Any]:
    key, text = wanted["movie"], wanted["text"]
    paths = {
        "movies": "/libraries/1/items?size=50",
        "episodes": "/libraries/2/items?size=50&type=episode",
        "search": f"/search?query={text}&type=movie&limit=50",
        "details": f"/items/{key}",
    }
    arguments = {"search": (text,), "details": (key,)}
    scripts = {"careful": Careful(server), "naive": Naive(server)}
    return {
        page: {"service": partial(service.get, f"/api/v1/plex{path}")}
        | {
            name: partial(_write, getattr(script, page), *arguments.get(page, ()))
            for name, script in scripts.items()
        }
        for page, path in paths.items()
    }


def _write(build: Callable[..., Any], *arguments: str) -> None:
    written(build(*arguments))


def _rounds(
    service: Service, contestants: dict[str, Callable[[], None]], rounds: int
) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(WARM_UP + rounds):
        service.forget()
        for name, ask in contestants.items():
            times[name].append(_milliseconds(ask))
    return {name: each[WARM_UP:] for name, each in times.items()}


def _milliseconds(ask: Callable[[], None]) -> float:
    # Python-plexapi's objects refer to each other. Without this, whoever is next would delete them.
    gc.collect()
    began = time.process_time()
    ask()
    return (time.process_time() - began) * 1000


if __name__ == "__main__":
    main()
