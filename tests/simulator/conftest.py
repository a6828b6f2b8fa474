"""A simulator for all tests that only read, and fresh ones for those that break or change it."""

import http.client
import json
import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

os.environ["PLEXAPI_PLEXAPI_AUTORELOAD"] = "false"
os.environ["PLEXAPI_CONFIG_PATH"] = "/dev/null"

import pytest
import requests
from plexapi.server import PlexServer

from plex_simulator import Simulator

NOW = 1_700_000_000


class Answer:
    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def xml(self) -> ElementTree.Element:
        return ElementTree.fromstring(self.body)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def keys(self) -> list[str]:
        return [row.get("ratingKey", "") for row in self.xml if row.tag != "Meta"]


class Asker:
    """Asks a simulator over one kept connection, with the owner's token unless told otherwise."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.connection = http.client.HTTPConnection(urlsplit(simulator.url).netloc, timeout=10)

    def __call__(
        self, path: str, method: str = "GET", token: str | None = "owner", **headers: str
    ) -> Answer:
        tokens = {"owner": self.simulator.owner_token, "viewer": self.simulator.viewer_token}
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            sent["X-Plex-Token"] = tokens.get(token, token)
        self.connection.request(method, path, headers=sent)
        return Answer(self.connection.getresponse())

    def page(self, path: str, start: int, size: int) -> Answer:
        return self(path, X_Plex_Container_Start=str(start), X_Plex_Container_Size=str(size))


def connect(simulator: Simulator, token: str | None = None) -> PlexServer:
    session = requests.Session()
    session.trust_env = False
    return PlexServer(simulator.url, token or simulator.owner_token, session=session, timeout=10)


@pytest.fixture(scope="session")
def shared() -> Iterator[Simulator]:
    with Simulator(seed=11, now=NOW) as simulator:
        yield simulator


@pytest.fixture
def simulator(shared: Simulator) -> Simulator:
    """The shared simulator: read only."""
    return shared


@pytest.fixture
def fresh() -> Iterator[Simulator]:
    """A small simulator of its own, to break and change."""
    with Simulator(seed=3, now=NOW, movies=60, shows=12, artists=4, photo_albums=3) as simulator:
        yield simulator


def asking(simulator: Simulator) -> Iterator[Asker]:
    asker = Asker(simulator)
    yield asker
    asker.connection.close()


@pytest.fixture
def ask(simulator: Simulator) -> Iterator[Asker]:
    yield from asking(simulator)


@pytest.fixture
def ask_fresh(fresh: Simulator) -> Iterator[Asker]:
    yield from asking(fresh)


@pytest.fixture
def plex(simulator: Simulator) -> Iterator[PlexServer]:
    server = connect(simulator)
    yield server
    server._session.close()


@pytest.fixture
def plex_fresh(fresh: Simulator) -> Iterator[PlexServer]:
    server = connect(fresh)
    yield server
    server._session.close()
