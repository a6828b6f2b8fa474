"""One of two instances ends while requests come through nginx."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count

import pytest

from plex_simulator import Simulator
from tests.instances.conftest import Instances
from tests.service import HOST, Service, until
from tests.serving.test_proxies import Proxy

HIT = "/api/v1/plex/libraries/1/items?size=5"
MISS = "/api/v1/plex/libraries/1/items?size=1&details=summary&start="
LIST = "/library/sections/1/all"
CLIENTS = 3


class Stream:
    """Clients that send one GET after the other, and count the responses of each instance."""

    def __init__(self, proxy: Proxy, users: Sequence[dict[str, str]]) -> None:
        self._proxy, self._users = proxy, users
        self._is_over = threading.Event()
        self.seen: Counter[tuple[int, str]] = Counter()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Send requests meanwhile; an exception of a client is raised at the end."""
        with ThreadPoolExecutor(CLIENTS) as pool:
            clients = [pool.submit(self._run, client) for client in range(CLIENTS)]
            try:
                yield
            finally:
                self._is_over.set()
        for client in clients:
            client.result()

    def _run(self, client: int) -> None:
        for number in count():
            if self._is_over.is_set():
                return
            path = HIT if number % 4 else f"{MISS}{(client * 60 + number) % 180}"
            headers = self._users[(client + number * CLIENTS) % len(self._users)]
            answer = self._proxy.send(path, headers)
            self.seen[answer.status, answer.headers["x-instance"].rpartition(", ")[2]] += 1

    def count_of(self, service: Service) -> int:
        """Return how many responses with status 200 came from an instance."""
        return self.seen[200, f"{HOST}:{service.port}"]

    def more_of(self, service: Service) -> None:
        """Wait until an instance has answered some more requests."""
        before = self.count_of(service)
        until(lambda: self.count_of(service) >= before + 20, 30, "it answers requests")


@pytest.mark.parametrize(
    ("name", "end"),
    [("second", Service.terminate), ("first", Service.close)],
    ids=["SIGTERM", "SIGKILL"],
)
def test_an_instance_that_ends_costs_no_request_and_takes_part_again_after_its_start(
    name: str,
    end: Callable[[Service], None],
    instances: Instances,
    proxy: Proxy,
    shared_plex: Simulator,
    without_limits: None,
) -> None:
    ended: Service = getattr(instances, name)
    (other,) = {instances.first, instances.second} - {ended}
    # So that the instance has requests when it ends.
    shared_plex.fault("slow", path=LIST, delay=0.3)
    stream = Stream(proxy, instances.take(10))
    with stream.running():
        stream.more_of(ended)
        end(ended)
        until(lambda: not ended.is_running(), 60, "it has ended")
        stream.more_of(other)
        ended.start()
        ended.wait()
        stream.more_of(ended)
    assert {status for status, _ in stream.seen} == {200}, stream.seen
