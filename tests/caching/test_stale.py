"""An old answer while Plex fails, and a Plex that is left in peace until it is back."""

import time
from typing import Any

import pytest

from medianest import store
from plex_integration import policies
from plex_integration.caching import breaker, response_cache
from plex_simulator import Simulator
from tests.conftest import Client
from tests.pace import Stopwatch
from tests.service import until

ITEMS = "/plex/libraries/1/items?size=2"
TTL = policies.LIBRARY_ITEMS.ttl
REFUSED = "/library/sections/1/all"


@pytest.fixture(params=["one process", "Redis"])
def each_store(request: Any) -> None:
    """Both kinds of store: the rules are the same."""
    if request.param == "Redis":
        request.getfixturevalue("shared")


@pytest.fixture
def aged(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make cached entries old: their age is read from a clock that the test moves."""
    moved = [0.0]
    real = response_cache._age
    monkeypatch.setattr(response_cache, "_age", lambda found: real(found) + int(moved[0]))

    def age(seconds: float) -> None:
        moved[0] = seconds

    return age


def status_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.headers.get("X-Plex-Cache-Status", "")


@pytest.mark.parametrize(
    ("kind", "options", "reason"),
    [
        ("refused", {}, "PLEX_SERVER_UNAVAILABLE"),
        ("disconnect", {}, "PLEX_SERVER_UNAVAILABLE"),
        ("status", {"status": 503}, "PLEX_SERVER_UNAVAILABLE"),
        ("status", {"status": 500}, "PLEX_API_ERROR"),
        ("html", {}, "PLEX_API_ERROR"),
        ("truncated", {}, "PLEX_API_ERROR"),
    ],
)
def test_an_old_answer_stands_in_when_plex_fails(
    each_store: None,
    quick: Client,
    plex: Simulator,
    aged: Any,
    kind: str,
    options: Any,
    reason: str,
) -> None:
    good = quick.get(ITEMS)
    aged(TTL + 5)
    plex.fault(kind, **options)
    old = quick.get(ITEMS)
    assert status_of(old) == (200, "STALE")
    assert old.json()["data"] == good.json()["data"]
    about = old.json()["metadata"]
    assert (about["cached"], about["stale"], about["staleReason"]) == (True, True, reason)
    assert old.headers["Cache-Control"] == "no-cache, private"
    assert int(old.headers["Age"]) == int(old.headers["X-Plex-Cache-Age"]) == about["cacheAge"]
    assert about["cacheAge"] >= TTL + 5


def test_an_old_answer_is_given_for_a_day_past_its_time_and_no_longer(
    each_store: None, quick: Client, plex: Simulator, aged: Any
) -> None:
    quick.get(ITEMS)
    plex.fault("disconnect")
    aged(TTL + policies.STALE_FOR - 5)
    assert status_of(quick.get(ITEMS)) == (200, "STALE")
    aged(TTL + policies.STALE_FOR)
    quick.error(ITEMS, 503, "PLEX_SERVER_UNAVAILABLE")


@pytest.mark.parametrize(
    ("status", "code", "answered"),
    [
        (401, "PLEX_UNAUTHORIZED", 401),
        (403, "PLEX_UNAUTHORIZED", 401),
        (404, "LIBRARY_NOT_FOUND", 404),
    ],
)
def test_after_a_refusal_the_old_answer_is_never_shown_again(
    each_store: None,
    quick: Client,
    plex: Simulator,
    aged: Any,
    status: int,
    code: str,
    answered: int,
) -> None:
    quick.get(ITEMS)
    aged(TTL + 5)
    plex.fault("status", status=status, path=REFUSED)
    quick.error(ITEMS, answered, code)
    plex.heal()
    plex.fault("disconnect")
    quick.error(ITEMS, 503, "PLEX_SERVER_UNAVAILABLE")


def test_who_asks_for_a_new_answer_gets_the_old_one_if_plex_fails(
    each_store: None, quick: Client, plex: Simulator
) -> None:
    quick.get(ITEMS)
    plex.fault("disconnect")
    answer = quick.get(ITEMS, headers={"Cache-Control": "no-cache"})
    assert status_of(answer) == (200, "STALE")
    # The others need not know: theirs is still fresh.
    assert status_of(quick.get(ITEMS)) == (200, "HIT")


@pytest.mark.parametrize("header", ["no-cache", "No-Cache", "max-age=0, NO-CACHE"])
def test_who_asks_for_a_new_answer_renews_it_for_all(
    each_store: None, quick: Client, plex: Simulator, header: str
) -> None:
    first = quick.get(ITEMS)
    before = first.headers["ETag"]
    key = first.json()["data"]["items"][0]["ratingKey"]
    plex.catalogue.change(key, summary=f"Changed, {header}.")
    assert quick.get(ITEMS).headers["ETag"] == before
    renewed = quick.get(ITEMS, headers={"Cache-Control": header})
    assert status_of(renewed) == (200, "MISS")
    assert renewed.headers["ETag"] != before
    hit = quick.get(ITEMS)
    assert (status_of(hit), hit.headers["ETag"]) == ((200, "HIT"), renewed.headers["ETag"])


def test_five_failures_in_a_row_leave_plex_in_peace_but_for_one_question_a_pause(
    each_store: None, quick: Client, plex: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (breaker.FAILURES, breaker.PAUSE) == (5, 2.0)
    monkeypatch.setattr(breaker, "PAUSE", 1.0)
    quick.get("/plex/libraries")
    cached_answer = quick.get(ITEMS)
    plex.fault("disconnect")
    for number in range(5):
        quick.error(f"{ITEMS}&start={number + 1}", 503, "PLEX_SERVER_UNAVAILABLE")
    plex.reset_requests()
    began = time.monotonic()
    for number in range(12):
        answer = quick.get(f"{ITEMS}&start={number + 20}")
        assert answer.status_code == 503
        assert 1 <= int(answer.headers["Retry-After"]) <= 6
    stale = quick.get(ITEMS, headers={"Cache-Control": "no-cache"})
    assert status_of(stale) == (200, "STALE")
    assert stale.headers["ETag"] == cached_answer.headers["ETag"]
    spent = time.monotonic() - began
    assert len(plex.requests) <= 1 + 2 * spent  # a question may be tried a second time
    plex.heal()
    watch = Stopwatch()

    def is_requested_again() -> bool:
        time.sleep(0.1)  # fewer requests than the user's limit allows
        return quick.get(f"{ITEMS}&start=50").status_code == 200

    until(is_requested_again, 5, "Plex gets requests again")
    assert watch.keeps(1.0 + 1.5), watch
    assert status_of(quick.get(f"{ITEMS}&start=51")) == (200, "MISS")


def test_a_plex_that_hung_is_found_again_within_five_seconds(
    each_store: None, quick: Client, plex: Simulator, settings: Any
) -> None:
    settings.PLEX_TIMEOUT = 0.3
    quick.get("/plex/libraries")
    plex.fault("silent")
    for number in range(breaker.FAILURES + 1):
        quick.error(f"{ITEMS}&start={number + 1}", 503, "PLEX_SERVER_UNAVAILABLE")
    plex.heal()
    settings.PLEX_TIMEOUT = 10
    watch = Stopwatch()

    def is_found() -> bool:
        time.sleep(0.2)  # fewer requests than the user's limit allows
        return quick.get(f"{ITEMS}&start=50").status_code == 200

    until(is_found, 8, "Plex is found again")
    assert watch.keeps(breaker.PAUSE + 1), watch


def test_a_refusal_is_an_answer_and_opens_no_breaker(
    each_store: None, quick: Client, plex: Simulator
) -> None:
    quick.get("/plex/libraries")
    plex.fault("status", status=401, path=REFUSED)
    for number in range(8):
        quick.error(f"{ITEMS}&start={number}", 401, "PLEX_UNAUTHORIZED")
    plex.heal()
    assert status_of(quick.get(f"{ITEMS}&start=60")) == (200, "MISS")


def test_failures_must_be_in_a_row_to_count(each_store: None) -> None:
    plex_breaker = store.current().breaker
    for _ in range(3):
        for _ in range(4):
            plex_breaker.record_failure("a", 5)
        assert plex_breaker.seconds_until_allowed("a", 5, 60.0) == 0
        plex_breaker.record_success("a")
    for _ in range(5):
        plex_breaker.record_failure("a", 5)
    assert 50 < plex_breaker.seconds_until_allowed("a", 5, 60.0) <= 60
    plex_breaker.record_success("a")
    assert plex_breaker.seconds_until_allowed("a", 5, 60.0) == 0


def test_at_the_end_of_the_pause_one_caller_alone_may_try(each_store: None) -> None:
    plex_breaker = store.current().breaker
    for _ in range(5):
        plex_breaker.record_failure("a", 5)
    until(lambda: plex_breaker.seconds_until_allowed("a", 5, 0.2) == 0, 5, "one may try")
    assert all(plex_breaker.seconds_until_allowed("a", 5, 60.0) > 50 for _ in range(5))


def test_a_response_that_plex_failed_in_part_is_soon_requested_again(
    each_store: None, quick: Client, plex: Simulator, aged: Any
) -> None:
    plex.fault("status", status=500, path="/status/sessions")
    first = quick.get("/plex/server")
    assert first.json()["data"]["statistics"]["sessionCount"] is None
    assert int(first.headers["Cache-Control"].split("=")[1].split(",")[0]) <= policies.PARTIAL_FOR
    plex.heal()
    assert status_of(quick.get("/plex/server")) == (200, "HIT")
    aged(policies.PARTIAL_FOR)
    again = quick.get("/plex/server")
    assert status_of(again) == (200, "MISS")
    assert again.json()["data"]["statistics"]["sessionCount"] is not None
