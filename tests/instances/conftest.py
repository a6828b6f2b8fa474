"""Two instances of the service behind nginx, as on two machines: one Valkey, one PostgreSQL."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from pathlib import Path

import pytest

from plex_simulator import Simulator
from tests.admin.test_workers import Operator
from tests.postgresql import DATABASE, PostgreSQL, started
from tests.service import HOST, ROOT, Answer, House, Service, Valkey, at_once, until
from tests.serving.test_proxies import Proxy, nginx, replaced, running
from tests.serving.test_tls_proxy import HOST as PUBLIC_HOST
from tests.test_postgresql import METRICS, SEED

WORKERS_OF_FIRST, WORKERS_OF_SECOND = 1, 2
GENERAL_THREADS, WAITING_THREADS = 2, 4
CONNECTIONS_OF_A_WORKER = GENERAL_THREADS + WAITING_THREADS + 3
OTHER_CONNECTIONS = 3
# What docs/deployment.md says that the server must accept, and no more.
CONNECTIONS = (WORKERS_OF_FIRST + WORKERS_OF_SECOND) * CONNECTIONS_OF_A_WORKER + OTHER_CONNECTIONS
RESERVED_CONNECTIONS = 3
"""Those of superusers, among which is this process."""
USER = "service"
EXAMPLE = "# server 192.0.2.11:8000 "
"""The line of the example for a second instance, up to its options."""
LIBRARIES = "/api/v1/plex/libraries"
POLICIES = "/admin/plex_integration/policychange/"
ENOUGH = 16
"""So many requests, each over a new connection, reach every worker of both."""

Request = tuple[str, dict[str, str]]


@dataclass
class Instances:
    """Two instances, of one and of two workers; each of their users is `taken` by one test."""

    first: Service
    second: Service
    server: PostgreSQL
    environment: dict[str, str]
    tokens: list[str]
    session: str

    def take(self, count: int = 1) -> list[dict[str, str]]:
        """Return the headers of users that no worker has seen."""
        taken, self.tokens = self.tokens[:count], self.tokens[count:]
        return [{"Authorization": f"Bearer {token}"} for token in taken]

    def ask(self, wanted: Sequence[Request]) -> list[Answer]:
        """Send every other request to each instance, all at the same moment."""
        urls = [self.first.url, self.second.url]
        with ThreadPoolExecutor(2) as pool:
            halves = pool.map(at_once, urls, [wanted[::2], wanted[1::2]])
            return [answer for half in halves for answer in half]

    def limits(self, user: dict[str, str]) -> set[str]:
        """Return what all workers say that the limit for requests for a library is."""
        answers = self.ask([(LIBRARIES, user)] * ENOUGH)
        return {answer.headers["x-ratelimit-limit"] for answer in answers}


def nginx_for_two(
    second: int, folder: Path, first: int, plain: int, secure: int, certificate: Path
) -> list[str]:
    """Write the configuration for two instances, and return the command.

    Each response says which of them it is from.
    """
    argv = nginx(folder, first, plain, secure, certificate)
    for name, changes in {
        "medianest.conf": {EXAMPLE: f"server {HOST}:{second} "},
        "nginx.conf": {
            "access_log off;": "access_log off; add_header X-Instance $upstream_addr always;"
        },
    }.items():
        file = folder / name
        file.write_text(replaced(file.read_text(), changes))
    return argv


@pytest.fixture(scope="package")
def _shared_plex() -> Iterator[Simulator]:
    with Simulator(seed=29, movies=200, shows=5, artists=1) as simulator:
        yield simulator


@pytest.fixture(scope="package")
def _instances(
    house: House, _shared_plex: Simulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Instances]:
    valkey = Valkey(tmp_path_factory.mktemp("valkey"))
    services: list[Service] = []
    limit = str(CONNECTIONS + RESERVED_CONNECTIONS)
    try:
        with started(max_connections=limit) as server:
            environment = house.environment | {
                "DATABASE_URL": _address_of_user(server),
                "REDIS_URL": valkey.url,
                "IS_PATIENT_WITH_REDIS": "1",
                "GENERAL_THREADS": str(GENERAL_THREADS),
                "WAITING_THREADS": str(WAITING_THREADS),
                # Half of it is how long a request may wait for a thread.
                "PLEX_TIMEOUT": "60",
                "PLEX_URL": _shared_plex.url,
                "PLEX_TOKEN": _shared_plex.owner_token,
                "PLEX_TV_URL": _shared_plex.url,
                "ALLOWED_HOSTS": f"{PUBLIC_HOST},{HOST}",
                "PROXY_COUNT": "1",
                "METRICS_TOKEN": METRICS["Authorization"].removeprefix("Bearer "),
            }
            tokens, session = _seed(environment)
            for workers in (WORKERS_OF_FIRST, WORKERS_OF_SECOND):
                for folder in ("PICTURES_FOLDER", "METRICS_FOLDER"):
                    environment[folder] = str(tmp_path_factory.mktemp("folder"))
                services.append(house.service(valkey, workers=workers, **environment))
            yield Instances(*services, server, environment, tokens, session)
    finally:
        for service in services:
            service.close()
        valkey.close()


def _address_of_user(server: PostgreSQL) -> str:
    """Let an ordinary user own the database, who has no reserved connections."""
    with server.connect() as connection:
        connection.execute(f"CREATE ROLE {USER} LOGIN".encode())
        connection.execute(f"ALTER DATABASE {DATABASE} OWNER TO {USER}".encode())
    # A busy machine may run neither the server nor the service for some seconds.
    return server.url.replace("postgres@", f"{USER}@") + "?connect_timeout=60&response_timeout=60"


def _seed(environment: dict[str, str]) -> tuple[list[str], str]:
    """Create the tables and the users; return their tokens and the session of the operator."""
    seeded = subprocess.run(
        [sys.executable, "-c", SEED],
        cwd=ROOT,
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
    )
    tokens, session = json.loads(seeded.stdout)
    return tokens, session


@pytest.fixture
def shared_plex(_shared_plex: Simulator) -> Iterator[Simulator]:
    """The Plex of both instances, healthy and uncounted."""
    _shared_plex.heal()
    _shared_plex.reset_requests()
    yield _shared_plex
    _shared_plex.heal()


@pytest.fixture
def instances(_instances: Instances, shared_plex: Simulator) -> Instances:
    return _instances


@pytest.fixture
def operator(instances: Instances) -> Iterator[Operator]:
    """A superuser in the admin of the first instance."""
    signed_in = Operator(instances.first.url)
    yield signed_in
    signed_in.close()


@pytest.fixture
def proxy(instances: Instances, tmp_path: Path) -> Iterator[Proxy]:
    """The example configuration of nginx in front of both."""
    for_both = partial(nginx_for_two, instances.second.port)
    with running(for_both, tmp_path, instances.first.port) as proxy:
        yield proxy


@pytest.fixture
def without_limits(instances: Instances, operator: Operator) -> Iterator[None]:
    """Let each user send as many requests for a library as the admin allows."""
    users = cycle(instances.take(4))
    operator.submit(POLICIES, {"rate-library": "10000"})
    until(lambda: instances.limits(next(users)) == {"10000"}, 5, "both have the new limit")
    yield
    operator.submit(POLICIES, {"reset": "all"})
    until(lambda: instances.limits(next(users)) == {"60"}, 5, "both have the documented limit")
