"""Every answer tells where its user stands, whatever became of it."""

import time
from typing import Any

import pytest

from accounts import tokens
from accounts.models import User
from medianest import store
from plex_integration.reading.viewsets import ServerViewSet
from plex_simulator import Simulator
from tests.conftest import Client

ENDPOINTS = {
    "/server": 20,
    "/libraries": 60,
    "/libraries/1/items?size=2": 60,
    "/search?query=the&limit=2": 30,
    "/recently-added?limit=2": 20,
    "/libraries/1/collections": 40,
    "/collections/{collection}": 40,
}


@pytest.fixture
def collection(plex: Simulator) -> str:
    return str(plex.catalogue.collections("1")[0].rating_key)


@pytest.fixture(params=["one process", "Redis"])
def each_store(request: Any) -> None:
    """Both kinds of store: the rules are the same."""
    if request.param == "Redis":
        request.getfixturevalue("shared")


def stands(answer: Any) -> tuple[int, int]:
    """Return an answer's limit and what is left of it; its reset is within the window."""
    reset = int(answer.headers["X-RateLimit-Reset"])
    assert time.time() - 2 <= reset <= time.time() + 62
    return (
        int(answer.headers["X-RateLimit-Limit"]),
        int(answer.headers["X-RateLimit-Remaining"]),
    )


@pytest.mark.parametrize("path", ENDPOINTS)
def test_hits_and_misses_and_unchanged_answers_tell_and_count(
    each_store: None, quick: Client, collection: str, path: str
) -> None:
    url, limit = "/plex" + path.format(collection=collection), ENDPOINTS[path]
    miss = quick.get(url)
    hit = quick.get(url)
    unchanged = quick.get(url, headers={"If-None-Match": hit.headers["ETag"]})
    again = quick.get(url, headers={"Cache-Control": "no-cache"})
    assert [each.status_code for each in (miss, hit, unchanged, again)] == [200, 200, 304, 200]
    assert [each.headers["X-Plex-Cache-Status"] for each in (miss, hit, unchanged, again)] == [
        "MISS", "HIT", "HIT", "MISS"
    ]  # fmt: skip
    counted = [stands(each) for each in (miss, hit, unchanged, again)]
    assert counted == [(limit, limit - number) for number in (1, 2, 3, 4)]


@pytest.mark.parametrize(
    ("path", "status", "limit"),
    [
        ("/libraries/1/items?size=0", 400, 60),
        ("/libraries/1/items?unwatched=maybe", 400, 60),
        ("/libraries/1/items?type=show", 400, 60),
        ("/libraries/777/items", 404, 60),
        ("/libraries/abc/items", 404, 60),
        ("/search", 400, 30),
        ("/search?query=x", 400, 30),
        ("/search?query=the&limit=201", 400, 30),
        ("/recently-added?library=x", 404, 20),
        ("/recently-added?limit=0", 400, 20),
        ("/libraries/1/collections?size=0", 400, 40),
        ("/libraries/777/collections", 404, 40),
        ("/collections/99999999", 404, 40),
        ("/collections/x", 404, 40),
        ("/collections/1?start=-1", 400, 40),
    ],
)
def test_bad_requests_and_missing_things_tell_and_count(
    each_store: None, quick: Client, path: str, status: int, limit: int
) -> None:
    for number in (1, 2):
        answer = quick.get("/plex" + path)
        assert answer.status_code == status
        assert stands(answer) == (limit, limit - number)


@pytest.mark.parametrize(
    ("kind", "options", "status"),
    [("status", {"status": 500}, 502), ("status", {"status": 401}, 401), ("refused", {}, 503)],
)
def test_what_plex_fails_tells_and_counts(
    each_store: None, quick: Client, plex: Simulator, kind: str, options: Any, status: int
) -> None:
    plex.fault(kind, **options)
    for number in (1, 2):
        answer = quick.get("/plex/server")
        assert answer.status_code == status
        assert stands(answer) == (20, 20 - number)


def test_no_configured_plex_tells_and_counts(
    each_store: None, quick: Client, settings: Any
) -> None:
    settings.PLEX_URL = ""
    answer = quick.get("/plex/server")
    assert answer.status_code == 503
    assert stands(answer) == (20, 19)


def test_a_defect_of_the_service_tells_and_counts(
    each_store: None, quick: Client, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(ServerViewSet, "service", broken)
    answer = quick.get("/plex/server")
    assert answer.status_code == 500
    assert stands(answer) == (20, 19)


def test_who_sends_requests_too_often_learns_when_to_come_back(
    each_store: None, quick: Client
) -> None:
    for _ in range(20):
        assert quick.get("/plex/server").status_code == 200
    for path in ("/plex/server", "/plex/server?x=1"):
        before = time.time()
        refused = quick.get(path)
        after = time.time()
        assert refused.status_code == 429
        assert stands(refused) == (20, 0)
        wait = int(refused.headers["Retry-After"])
        assert 1 <= wait <= 60
        assert before - 1 <= int(refused.headers["X-RateLimit-Reset"]) - wait <= after + 1
        assert refused.json()["error"]["details"] == {
            "limit": 20,
            "window": 60,
            "retryAfter": wait,
        }
        assert refused.headers["Cache-Control"] == "no-store"


def test_who_sends_bad_requests_too_often_gets_429_first(each_store: None, quick: Client) -> None:
    for _ in range(20):
        assert quick.get("/plex/recently-added?limit=0").status_code == 400
    assert quick.get("/plex/recently-added?limit=0").status_code == 429
    assert quick.get("/plex/recently-added").status_code == 429


def test_a_refused_request_counts_for_nothing_and_asks_plex_nothing(
    each_store: None, quick: Client, plex: Simulator
) -> None:
    for _ in range(20):
        quick.get("/plex/recently-added?limit=0")
    plex.reset_requests()
    for number in range(5):
        assert quick.get(f"/plex/recently-added?limit={number + 1}").status_code == 429
    assert plex.requests == ()


def test_users_and_scopes_are_counted_apart(each_store: None, quick: Client, server: Any) -> None:
    for _ in range(20):
        quick.get("/plex/server")
    assert quick.get("/plex/server").status_code == 429
    assert stands(quick.get("/plex/libraries")) == (60, 59)
    assert stands(quick.get("/plex/recently-added?limit=1")) == (20, 19)
    other = User.objects.create(username="grace", password="!")
    access = tokens.issue(other).access
    assert stands(Client(server.url, access).get("/plex/server")) == (20, 19)


def test_one_user_is_counted_over_all_of_their_tokens(quick: Client, server: Any) -> None:
    assert stands(quick.get("/plex/server")) == (20, 19)
    access = tokens.issue(User.objects.get(username="quick")).access
    assert stands(Client(server.url, access).get("/plex/server")) == (20, 18)


def test_clearing_the_cache_forgets_answers_and_no_limit(
    quick: Client, shared: store.Store, valkey: Any
) -> None:
    from django.core.cache import caches

    quick.get("/plex/server")
    valkey.client.set("somebody-else", "stays")
    caches["default"].clear()
    answer = quick.get("/plex/server")
    assert answer.headers["X-Plex-Cache-Status"] == "MISS"
    assert stands(answer) == (20, 18)
    assert valkey.client.get("somebody-else") == b"stays"
