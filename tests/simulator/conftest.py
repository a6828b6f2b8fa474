"""Fixtures: a shared simulator for tests that only read, and new ones for tests that change it."""

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


class Response:
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
        """List the rating keys of the rows."""
        return [row.get("ratingKey", "") for row in self.xml if row.tag != "Meta"]


class PlexClient:
    """Sends requests to a simulator over one connection, by default with the owner's token."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.connection = http.client.HTTPConnection(urlsplit(simulator.url).netloc, timeout=10)

    def request(
        self, method: str, path: str, token: str | None, headers: dict[str, str]
    ) -> Response:
        tokens = {"owner": self.simulator.owner_token, "viewer": self.simulator.viewer_token}
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            sent["X-Plex-Token"] = tokens.get(token, token)
        self.connection.request(method, path, headers=sent)
        return Response(self.connection.getresponse())

    def get(self, path: str, token: str | None = "owner", **headers: str) -> Response:
        return self.request("GET", path, token, headers)

    def post(self, path: str, token: str | None = "owner", **headers: str) -> Response:
        return self.request("POST", path, token, headers)

    def page(self, path: str, start: int, size: int) -> Response:
        return self.get(path, X_Plex_Container_Start=str(start), X_Plex_Container_Size=str(size))


def connect(simulator: Simulator, token: str | None = None) -> PlexServer:
    """Connect python-plexapi with a simulator."""
    session = requests.Session()
    session.trust_env = False
    return PlexServer(simulator.url, token or simulator.owner_token, session=session, timeout=10)


def control(simulator: Simulator, method: str, path: str, /, **body: Any) -> Any:
    """Send a request to the control API; return its JSON, with the status if it is an error."""
    connection = http.client.HTTPConnection(urlsplit(simulator.url).netloc, timeout=5)
    connection.request(method, f"/simulator/{path}", body=json.dumps(body))
    response = connection.getresponse()
    content = json.loads(response.read())
    connection.close()
    return content if response.status == 200 else (response.status, content)


@pytest.fixture(scope="session")
def shared() -> Iterator[Simulator]:
    with Simulator(seed=11, now=NOW, edge_cases=True) as simulator:
        yield simulator


@pytest.fixture
def simulator(shared: Simulator) -> Simulator:
    """The simulator that all tests share. Do not change it."""
    return shared


@pytest.fixture
def fresh() -> Iterator[Simulator]:
    """A small new simulator, which the test can change."""
    with Simulator(
        seed=3, now=NOW, edge_cases=True, movies=60, shows=12, artists=4, photo_albums=3
    ) as simulator:
        yield simulator


@pytest.fixture
def client(simulator: Simulator) -> Iterator[PlexClient]:
    client = PlexClient(simulator)
    yield client
    client.connection.close()


@pytest.fixture
def fresh_client(fresh: Simulator) -> Iterator[PlexClient]:
    client = PlexClient(fresh)
    yield client
    client.connection.close()


@pytest.fixture
def plex(simulator: Simulator) -> Iterator[PlexServer]:
    server = connect(simulator)
    yield server
    server._session.close()


@pytest.fixture
def fresh_plex(fresh: Simulator) -> Iterator[PlexServer]:
    server = connect(fresh)
    yield server
    server._session.close()
