"""The clients of the benchmark of crowds send at the planned time, and count waits from it."""

import socket
import threading
import time
from collections import defaultdict
from collections.abc import Iterator

import pytest

from tests.benchmarks.endpoints import ALLOWANCE
from tests.benchmarks.load import Connection
from tests.benchmarks.open_loop import Line, plan, send
from tests.service import HOST

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
FIRST_ANSWER_TAKES = 0.4


@pytest.fixture
def slow_port() -> Iterator[int]:
    """A server that takes long for the first answer, and answers all others at once."""
    with socket.create_server((HOST, 0)) as listening:
        thread = threading.Thread(target=_answer, args=(listening,))
        thread.start()
        yield listening.getsockname()[1]
        thread.join()


def _answer(listening: socket.socket) -> None:
    connection, _ = listening.accept()
    with connection:
        connection.recv(4096)
        time.sleep(FIRST_ANSWER_TAKES)  # it is the slow server that is measured
        connection.sendall(ANSWER)
        while connection.recv(4096):
            connection.sendall(ANSWER)


def test_a_request_that_waits_for_a_slow_one_counts_from_its_planned_time(slow_port: int) -> None:
    line = Line(Connection(slow_port, [], b""))
    planned = [(number / 10, 0, b"GET / HTTP/1.1\r\n\r\n") for number in range(4)]
    waits, late = send([line], planned)
    line.connection.close()
    # The connection is busy for 0.4 seconds: the second request waits for 0.3 of them, and so on.
    least = [FIRST_ANSWER_TAKES - at for at, *_ in planned]
    assert all(wait >= bound - 0.001 for wait, bound in zip(waits, least, strict=True)), waits
    assert len(late) == len(planned)


def test_every_user_sends_evenly_and_no_more_than_each_limit_allows() -> None:
    job = {
        "tokens": [f"token-{number}" for number in range(20)],
        "ports": [1, 2],
        "targets": [(each.target, each.limit.requests) for each in ALLOWANCE],
        "seconds": 60.0,
    }
    planned = plan(job)
    assert planned == sorted(planned)
    times = defaultdict(list)
    for at, _, request in planned:
        times[request].append(at)
    assert len(times) == 20 * len(ALLOWANCE)
    for endpoint in ALLOWANCE:
        for request, moments in times.items():
            if request.startswith(f"GET {endpoint.target} ".encode()):
                assert len(moments) == endpoint.limit.requests
                assert moments[-1] < 60
    # Each user's requests take turns at both ports.
    turns = [line for _, line, request in planned if b"Bearer token-3\r\n" in request]
    assert turns == [6 + number % 2 for number in range(len(turns))]
