"""The connections of all workers of two instances to a PostgreSQL that accepts just so many."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from plex_simulator import Simulator
from tests.instances.conftest import CONNECTIONS, USER, Instances
from tests.postgresql import PostgreSQL
from tests.service import ROOT
from tests.test_postgresql import Sampler, Site, visit

CLIENTS = 36


def test_all_workers_together_stay_within_what_the_server_accepts(
    instances: Instances, shared_plex: Simulator
) -> None:
    shared_plex.fault("slow", delay=0.05)
    sites = [
        Site(service, instances.server, [], instances.session)
        for service in (instances.first, instances.second)
    ]
    users, sampler = instances.take(CLIENTS), Sampler(instances.server)
    with sampler.counting(), ThreadPoolExecutor(CLIENTS) as pool:
        statuses = set().union(*pool.map(visit, sites * (CLIENTS // 2), range(CLIENTS), users))
    assert statuses == {200}
    assert 0 < max(sampler.counts) <= CONNECTIONS


def test_the_doctor_counts_the_workers_of_both(instances: Instances) -> None:
    with limited(instances.server, CONNECTIONS - 1):
        done = subprocess.run(
            [sys.executable, "manage.py", "doctor"],
            cwd=ROOT,
            env=instances.environment,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (
        f"Database: PostgreSQL accepts {CONNECTIONS - 1} connections of this user, but 3 workers "
        f"may need {CONNECTIONS}."
    ) in done.stdout


@contextmanager
def limited(server: PostgreSQL, connections: int) -> Iterator[None]:
    """Limit the connections of the service's user meanwhile."""
    limit = f"ALTER ROLE {USER} CONNECTION LIMIT "
    with server.connect() as connection:
        connection.execute(f"{limit}{connections}".encode())
        try:
            yield
        finally:
            connection.execute(f"{limit}-1".encode())
