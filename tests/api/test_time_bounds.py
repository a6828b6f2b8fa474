"""No answer takes longer than the time Plex is given and one second, however Plex dawdles."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from plex_simulator import Simulator
from tests.api.test_errors import ENDPOINTS
from tests.conftest import Client, forget_everything
from tests.pace import Stopwatch

SLOW: list[tuple[str, dict[str, Any]]] = [
    ("silent", {}),
    ("slow", {"delay": 30}),
    ("drip_headers", {"interval": 0.05}),
    ("drip_body", {"interval": 0.05}),
]


@pytest.fixture(autouse=True)
def one_second(plex: Simulator, settings: Any) -> None:
    settings.PLEX_TIMEOUT = 1


def timed(api: Client, path: str) -> tuple[float, int, str]:
    began = time.monotonic()
    response = Client(api.root).get(path, headers=dict(api.headers))
    body = response.json()
    return time.monotonic() - began, response.status_code, body.get("error", {}).get("code", "")


@pytest.mark.parametrize(("kind", "options"), SLOW)
def test_a_server_that_dawdles_over_everything_is_cut_off(
    api: Client, plex: Simulator, kind: str, options: dict[str, Any]
) -> None:
    plex.fault(kind, **options)
    watch = Stopwatch()
    with ThreadPoolExecutor(len(ENDPOINTS)) as clients:
        for seconds, status, code in clients.map(lambda path: timed(api, path), ENDPOINTS.values()):
            assert watch.allows(seconds, 2), (seconds, watch)
            assert (status, code) == (503, "PLEX_SERVER_UNAVAILABLE")


@pytest.mark.parametrize(("kind", "options"), SLOW)
def test_a_server_that_dawdles_over_a_later_call_is_cut_off(
    api: Client, plex: Simulator, kind: str, options: dict[str, Any]
) -> None:
    for path in ("/library/metadata/", "/library/collections/"):
        plex.fault(kind, path=path, **options)
    wanted = ["/plex/libraries/1/items?size=100", "/plex/search?query=night",
              "/plex/recently-added", "/plex/collections/11001000"]  # fmt: skip
    watch = Stopwatch()
    with ThreadPoolExecutor(len(wanted)) as clients:
        for seconds, status, code in clients.map(lambda path: timed(api, path), wanted):
            assert watch.allows(seconds, 2), (seconds, watch)
            assert (status, code) == (503, "PLEX_SERVER_UNAVAILABLE")


@pytest.mark.parametrize(("kind", "options"), SLOW)
def test_slow_parts_leave_only_their_fields_null(
    api: Client, plex: Simulator, kind: str, options: dict[str, Any]
) -> None:
    for path in ("/status/sessions", "/media/providers", "/library/sections/2/all"):
        plex.fault(kind, path=path, **options)
    watch = Stopwatch()
    with ThreadPoolExecutor(2) as clients:
        server, libraries = clients.map(api.data, ["/plex/server", "/plex/libraries"])
    assert watch.keeps(2), watch
    assert server["statistics"]["sessionCount"] is None
    assert server["statistics"]["totalSize"] is None
    assert server["statistics"]["libraryCount"] == 6
    counts = {each["id"]: each["statistics"]["count"] for each in libraries["libraries"]}
    assert counts.pop("2") is None
    assert all(counts.values())


def test_slow_calls_one_after_another_share_the_time(api: Client, plex: Simulator) -> None:
    plex.fault("slow", delay=0.45)
    for path in ("/plex/libraries/1/items?size=5", "/plex/libraries/1/items?genre=comedy"):
        forget_everything()
        watch = Stopwatch()
        _, status, code = timed(api, path)
        assert watch.keeps(2), watch
        assert (status, code) == (503, "PLEX_SERVER_UNAVAILABLE")


def test_a_slow_but_good_server_is_waited_for(api: Client, plex: Simulator) -> None:
    plex.fault("slow", delay=0.2)
    for path in ("/plex/server", "/plex/libraries", "/plex/collections/11001000?details=summary"):
        assert timed(api, path)[1] == 200


def test_many_clients_of_a_silent_server_all_get_an_error_in_time(
    api: Client, plex: Simulator
) -> None:
    plex.fault("silent")
    paths = [*ENDPOINTS.values()] * 5
    watch = Stopwatch()
    with ThreadPoolExecutor(len(paths)) as clients:
        for seconds, status, _ in clients.map(lambda path: timed(api, path), paths):
            assert watch.allows(seconds, 2.5), (seconds, watch)
            assert status == 503


def test_the_service_is_free_again_once_the_server_is(api: Client, plex: Simulator) -> None:
    plex.fault("silent")
    with ThreadPoolExecutor(8) as clients:
        list(clients.map(lambda _: timed(api, "/plex/libraries/1/collections"), range(8)))
    plex.heal()
    forget_everything()
    watch = Stopwatch()
    _, status, _ = timed(api, "/plex/libraries?after")
    assert status == 200
    assert watch.keeps(1), watch
