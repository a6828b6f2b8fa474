"""Event streams of a stub beside the service: what they cost, and how they end."""

from collections.abc import Iterator, Sequence
from contextlib import closing

import pytest

from plex_simulator import Simulator
from tests.pace import Stopwatch
from tests.service import House, Person, Service, Valkey, at_once, until
from tests.stream_clients import CLEAN_END, StreamClients, allow_open_files, open_streams

WORKERS, STREAMS = 2, 200
BYTES_PER_STREAM = 150_000
END_SECONDS = 1.5
ITEMS = "/api/v1/plex/libraries/1/items?size=50"


@pytest.fixture
def streaming(house: House, valkey: Valkey, plex: Simulator) -> Iterator[Service]:
    """Two workers of the service with the stub."""
    allow_open_files(STREAMS)
    service = house.service(valkey, workers=WORKERS, application="tests.streams:application")
    yield service
    service.close()


def test_open_streams_take_little_memory_and_hits_go_on_beside_them(
    streaming: Service, people: Sequence[Person]
) -> None:
    hits = [(ITEMS, people[0].headers)] * 16
    with closing(StreamClients(streaming.port, STREAMS)):
        at_once(streaming.url, hits)
    until(lambda: open_streams(streaming.url, WORKERS) == 0, 10, "the first streams are closed")
    before = streaming.memory()
    with closing(StreamClients(streaming.port, STREAMS)):
        assert open_streams(streaming.url, WORKERS) == STREAMS
        assert streaming.memory() - before < STREAMS * BYTES_PER_STREAM
        watch = Stopwatch()
        answers = at_once(streaming.url, hits)
    assert {answer.headers["x-plex-cache-status"] for answer in answers} == {"HIT"}
    assert watch.allows(max(answer.seconds for answer in answers), 0.5), watch


@pytest.mark.parametrize("is_abrupt", [False, True], ids=["closed", "reset"])
def test_clients_that_go_away_are_noticed(streaming: Service, is_abrupt: bool) -> None:
    with closing(StreamClients(streaming.port, STREAMS)) as clients:
        assert open_streams(streaming.url, WORKERS) == STREAMS
        if is_abrupt:
            clients.reset_when_closed()
    until(lambda: open_streams(streaming.url, WORKERS) == 0, 5, "the streams are closed")


def test_the_service_ends_in_order_while_streams_are_open(streaming: Service) -> None:
    with closing(StreamClients(streaming.port, STREAMS)) as clients:
        watch = Stopwatch()
        streaming.terminate()
        ends = clients.read_to_the_end()
        until(lambda: not streaming.is_running(), 20, "the service ends")
    assert watch.keeps(END_SECONDS), watch
    assert all(end.endswith(CLEAN_END) for end in ends)
    assert "Traceback" not in streaming.log
