"""Whatever Plex sends, no worker takes more than 300 MB, and each request ends in time."""

import re
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path

import pytest

from plex_simulator import Simulator
from tests.pace import Stopwatch
from tests.plex.conftest import RawServer, Request, ok
from tests.service import House, Service, Valkey, ask, at_once, until

from .conftest import ITEMS

LIBRARIES = ok(
    '<MediaContainer size="1"><Directory key="1" type="movie" title="Movies"/></MediaContainer>'
)
LIBRARIES_PATH = "/api/v1/plex/libraries"
MOST = 300 * 1024**2
TIMEOUT = 4
REQUESTS = 48

FLAT = b"<MediaContainer>" + b"<Video/>" * 3_900_000
NESTED = b"<MediaContainer>" + b"<a>" * 200_000 + b"</a>" * 200_000 + b"</MediaContainer>"
ROLES = (
    b'<Video ratingKey="1" type="movie" title="A">' + b'<Role tag="Someone"/>' * 9_000 + b"</Video>"
)
ALLOWED = b"<MediaContainer>" + ROLES * 22
ATTRIBUTES = b"<MediaContainer><Video " + b" ".join(b'a%d=""' % n for n in range(600_000))
TEXT = b"<MediaContainer>" + b"x" * 8_000_000
LONG = b'<MediaContainer title="' + b"x" * 8_000_000


@pytest.fixture
def hostile(house: House, valkey: Valkey) -> Iterator[Callable[[bytes], Service]]:
    """Start a worker for a Plex whose lists are the given bytes, and then nothing."""
    closing: list[RawServer | Service] = []

    def start(body: bytes) -> Service:
        answer = ok(body, Content_Length=str(len(body) + 10))

        def respond(request: Request) -> bytes:
            return answer if "/all" in request.path else LIBRARIES

        plex = RawServer(respond)
        closing.append(plex)
        service = house.service(
            valkey,
            workers=1,
            DATABASE_URL=house.copied(),
            PLEX_URL=plex.url,
            PLEX_TIMEOUT=str(TIMEOUT),
        )
        closing.append(service)
        return service

    yield start
    for each in closing:
        each.close()


def peak(service: Service) -> int:
    """Return the most memory that a worker has had, in bytes."""
    statuses = [Path(f"/proc/{worker}/status").read_text() for worker in service.workers()]
    return max(int(re.findall(r"VmHWM:\s+(\d+) kB", each)[0]) * 1024 for each in statuses)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "is_refused"),
    [
        (FLAT, True),
        (NESTED, True),
        (ATTRIBUTES, True),
        (LONG, True),
        # Nothing in these is forbidden, but they never end.
        (ALLOWED, False),
        (TEXT, False),
    ],
    ids=["flat", "nested", "attributes", "long", "allowed", "text"],
)
def test_no_worker_takes_more_than_300_mb(
    hostile: Callable[[bytes], Service], house: House, body: bytes, is_refused: bool
) -> None:
    service = hostile(body)
    wanted = [
        (f"{ITEMS}&size=3&start={number}", house.people[number % 8].headers)
        for number in range(REQUESTS)
    ]
    watch = Stopwatch()
    answers = at_once(service.url, wanted)
    found = {answer.status for answer in answers}
    # 503 is for requests that have waited too long for a thread or for Plex on a busy machine.
    assert found <= {502, 503}, found
    slowest = max(answer.seconds for answer in answers)
    assert watch.allows(slowest, TIMEOUT + 1), f"{slowest:.2f} s; {watch}"
    if is_refused:
        alone = ((f"{ITEMS}&size=3", each.headers) for each in cycle(house.people))
        until(lambda: ask(service.url, *next(alone)).status == 502, 20, "one alone is refused")
    assert peak(service) < MOST


@pytest.mark.slow
def test_nothing_of_long_requests_stays_in_memory(
    isolated: Service, house: House, valkey: Valkey, plex: Simulator
) -> None:
    def send(numbers: range, length: int) -> None:
        for first in numbers[::50]:
            wanted = [
                (f"{LIBRARIES_PATH}?a={number:06}{'b' * length}", house.people[0].headers)
                for number in range(first, first + 50)
            ]
            answers = at_once(isolated.url, wanted)
            expected = {414} if length > 8192 else {200, 429}
            assert {each.status for each in answers} <= expected, [each.body for each in answers]

    for length in (8_000, 60_000):
        send(range(500), length)
        before = isolated.memory()
        send(range(500, 2_500), length)
        assert isolated.memory() - before < 2_000 * 4_000
