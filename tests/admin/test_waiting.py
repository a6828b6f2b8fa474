"""Pages of the operator that wait for plex.tv or for Plex hold up no other request."""

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from django.test import Client as Browser

from medianest.serving import upstream
from medianest.serving.upstream import Access
from plex_integration.admin import sign_in
from plex_integration.configuration import runtime
from plex_simulator import Simulator
from tests.admin.conftest import CONNECTION, IMPORT, STATUS, VISIBILITY, messages_of, shown
from tests.admin.test_workers import Operator
from tests.pace import Stopwatch
from tests.service import OPERATOR, House, Person, Service, Valkey, ask, until

GENERAL = 2
PAGES = 3 * GENERAL
SIGN_IN, SERVERS = f"{CONNECTION}sign-in/", f"{CONNECTION}servers/"
READS = ("/api/v1/auth/session", "/api/v1/plex/nothing")


@pytest.fixture(scope="module")
def small(house: House, _valkey: Valkey, _simulator: Simulator) -> Iterator[Service]:
    """One worker with few threads; the simulator is also its plex.tv."""
    service = house.service(
        _valkey,
        workers=1,
        DATABASE_URL=house.copied(),
        GENERAL_THREADS=str(GENERAL),
        PLEX_TV_URL=_simulator.url,
    )
    yield service
    service.close()


@pytest.fixture
def operator(small: Service, valkey: Valkey, plex: Simulator) -> Iterator[Operator]:
    signed_in = Operator(small.url)
    yield signed_in
    signed_in.close()


def send(operator: Operator, method: str, path: str) -> requests.Response:
    """Send a request over a connection of its own, with the operator's session."""
    return requests.request(
        method,
        operator.root + path,
        cookies=operator.cookies.get_dict(),
        headers={"X-CSRFToken": operator.cookies["csrftoken"], "Referer": operator.root},
        allow_redirects=False,
        timeout=30,
    )


@pytest.mark.parametrize(
    ("method", "path", "waits_for"),
    [
        ("POST", f"{CONNECTION}sign-in/", "/api/v2/pins"),
        ("POST", f"{CONNECTION}test/", "/identity"),
        ("GET", STATUS, "/identity"),
        ("GET", IMPORT, "/api/users"),
        ("GET", f"{VISIBILITY}?user={OPERATOR}&kind=library&key=1", "/library/sections"),
    ],
    ids=["sign-in", "test of the connection", "status", "import", "visibility"],
)
def test_pages_that_wait_for_plex_or_plex_tv_delay_no_other_request(
    operator: Operator,
    small: Service,
    plex: Simulator,
    people: Sequence[Person],
    method: str,
    path: str,
    waits_for: str,
) -> None:
    assert_no_other_request_is_delayed(operator, small, plex, people[0], method, path, waits_for)


@pytest.mark.parametrize(
    ("method", "path", "waits_for"),
    [
        ("GET", SERVERS, "/api/v2/resources"),
        ("POST", f"{SERVERS}{{server}}/", "/identity"),
    ],
    ids=["servers", "addresses"],
)
def test_choosing_a_server_delays_no_other_request(
    operator: Operator,
    small: Service,
    plex: Simulator,
    people: Sequence[Person],
    method: str,
    path: str,
    waits_for: str,
) -> None:
    send(operator, "POST", SIGN_IN)
    (code,) = re.findall(r"<strong>(\w+)</strong></p>", send(operator, "GET", SIGN_IN).text)
    requests.get(f"{plex.url}/link", params={"code": code}, timeout=30)
    until(lambda: send(operator, "GET", SIGN_IN).status_code == 302, 20, "plex.tv is checked")
    assert send(operator, "GET", SERVERS).status_code == 200
    path = path.format(server=plex.machine_identifier)
    plex.reset_requests()
    assert_no_other_request_is_delayed(operator, small, plex, people[0], method, path, waits_for)


def assert_no_other_request_is_delayed(
    operator: Operator,
    small: Service,
    plex: Simulator,
    person: Person,
    method: str,
    path: str,
    waits_for: str,
) -> None:
    """Open a page often while Plex is slow, and other pages meanwhile."""
    plex.fault("slow", path=waits_for, delay=1.9)
    with ThreadPoolExecutor(PAGES) as pool:
        pages = [pool.submit(send, operator, method, path) for _ in range(PAGES)]
        until(lambda: plex.count(waits_for) >= GENERAL, 10, "the pages wait")
        for read in READS:
            watch = Stopwatch()
            answer = ask(small.url, read, person.headers)
            assert watch.allows(answer.seconds, 0.25), (answer.seconds, watch)
        assert {page.result().status_code for page in pages} <= {200, 302}


def test_pages_are_answered_without_plex_when_too_many_requests_wait_for_it(
    boss: Browser, plex: Simulator, settings: Any
) -> None:
    settings.PLEX_TV_URL = plex.url
    runtime.current()
    with upstream.access(Access.REFUSE):
        assert messages_of(boss.post(f"{CONNECTION}sign-in/")) == [sign_in.UNAVAILABLE]
        (message, *_) = messages_of(boss.post(f"{CONNECTION}test/"))[1:]
        assert message == "Not tested: too many requests wait for Plex. Try again."
        assert message in shown(boss.get(STATUS))
    assert plex.count() == 0
