"""Standard headers beside the documented ones: RFC 9211, RFC 5861, Server-Timing, RateLimit."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from plex_integration.caching import response_cache
from plex_simulator import Simulator
from tests.conftest import Client

ITEMS = "/plex/libraries/1/items?size=2"


@pytest.fixture
def aged(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Return a function that lets cached responses be so many seconds older."""
    age = response_cache._age

    def set_age(seconds: float) -> None:
        monkeypatch.setattr(response_cache, "_age", lambda found: age(found) + int(seconds))

    return set_age


def cache_status(response: Any) -> list[str]:
    """Return the parts of `Cache-Status` after the name of the cache."""
    name, *parts = [part.strip() for part in response.headers["Cache-Status"].split(";")]
    assert name == "MediaNest"
    return parts


def test_cache_status_tells_a_miss_from_a_hit(api: Client) -> None:
    assert cache_status(api.get(ITEMS)) == ["fwd=miss", "stored"]
    hit, ttl = cache_status(api.get(ITEMS))
    assert hit == "hit"
    assert 590 <= int(ttl.removeprefix("ttl=")) <= 600


def test_cache_status_says_why_plex_got_another_request(
    api: Client, aged: Callable[[float], None]
) -> None:
    api.get(ITEMS)
    renewed = api.get(ITEMS, headers={"Cache-Control": "no-cache"})
    assert cache_status(renewed) == ["fwd=request", "stored"]
    aged(601)
    assert cache_status(api.get(ITEMS)) == ["fwd=stale", "stored"]


def test_a_stale_response_says_for_how_long_and_why(
    api: Client, plex: Simulator, aged: Callable[[float], None]
) -> None:
    api.get(ITEMS)
    aged(700)
    plex.fault("status", status=500)
    hit, ttl, detail = cache_status(api.get(ITEMS))
    assert (hit, detail) == ("hit", "detail=PLEX_API_ERROR")
    assert -110 <= int(ttl.removeprefix("ttl=")) <= -100


def test_only_a_response_that_needed_plex_says_how_long_plex_took(
    api: Client, plex: Simulator
) -> None:
    plex.fault("slow", delay=0.2)
    timing = api.get(ITEMS).headers["Server-Timing"]
    found = re.fullmatch(r"plex;dur=(\d+)", timing)
    assert found
    assert int(found[1]) >= 200
    assert "Server-Timing" not in api.get(ITEMS).headers


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/plex/server", "max-age=1800, private, stale-while-revalidate=60"),
        ("/plex/libraries", "max-age=1800, private, stale-while-revalidate=60"),
        ("/plex/libraries/1/genres", "max-age=1800, private, stale-while-revalidate=60"),
        ("/plex/libraries/1/collections", "max-age=1800, private, stale-while-revalidate=60"),
        (ITEMS, "max-age=600, private"),
        ("/plex/on-deck", "max-age=60, private"),
        ("/plex/search?query=an", "max-age=600, private"),
    ],
)
def test_clients_may_use_an_old_response_only_where_it_has_no_watch_state(
    api: Client, path: str, expected: str
) -> None:
    for _ in range(2):
        assert api.get(path).headers["Cache-Control"] == expected


def test_the_limit_is_sent_as_structured_fields_too(api: Client) -> None:
    for path, scope, limit in (("/plex/server", "server", 20), (ITEMS, "library", 60)):
        for used in (1, 2):
            headers = api.get(path).headers
            assert headers["RateLimit-Policy"] == f'"{scope}";q={limit};w=60'
            found = re.fullmatch(rf'"{scope}";r=(\d+);t=(\d+)', headers["RateLimit"])
            assert found
            assert int(found[1]) == limit - used == int(headers["X-RateLimit-Remaining"])
            assert 0 <= int(found[2]) <= 60


def test_a_refusal_says_when_the_limit_is_full_again(api: Client) -> None:
    for _ in range(20):
        api.get("/plex/server")
    refused = api.get("/plex/server")
    assert refused.status_code == 429
    assert refused.headers["RateLimit"] == f'"server";r=0;t={refused.headers["Retry-After"]}'


def test_errors_and_writes_have_the_limit_too(api: Client) -> None:
    missing = api.get("/plex/items/999999999")
    assert missing.status_code == 404
    assert missing.headers["RateLimit"].startswith('"library";r=59;')
    refused = api.post("/plex/playlists", json={"title": "x"})
    assert refused.headers["RateLimit-Policy"] == '"writes";q=30;w=60'
