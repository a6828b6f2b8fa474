"""The cache's page: numbers that are true, clearing that is asked twice, and no outside script."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client as Browser
from django.urls import reverse

from medianest import store
from plex_integration.caching import metrics, response_cache
from plex_integration.caching.metrics import Counted
from plex_integration.policies import LIBRARY_OPERATIONS
from plex_simulator import Simulator
from tests.admin.conftest import STATUS, shown, told
from tests.conftest import Client
from tests.service import Valkey

CLEAR = f"{STATUS}clear/"


def row(boss: Browser, name: str) -> dict[str, Any]:
    rows = boss.get(STATUS).context["rows"]
    return next(each for each in rows if each["name"] == name)


def test_every_outcome_is_counted_where_it_belongs(
    boss: Browser, api: Client, plex: Simulator
) -> None:
    for _ in range(3):
        api.data("/plex/libraries")
    plex.fault("status", status=500)
    fresh = {"Cache-Control": "no-cache"}
    assert api.get("/plex/libraries", headers=fresh).headers["X-Plex-Cache-Status"] == "STALE"
    api.error("/plex/on-deck", 502, "PLEX_API_ERROR")
    api.error("/plex/libraries/99/items", 502, "PLEX_API_ERROR")
    plex.heal()
    api.error("/plex/libraries/99/items", 404, "LIBRARY_NOT_FOUND")
    found = row(boss, "libraries")
    assert [found[each] for each in ("hit", "miss", "stale", "bypass", "error", "refused")] == [
        2, 1, 1, 0, 0, 0,
    ]  # fmt: skip
    assert found["hit_rate"] == 50
    assert 1 <= found["p50"] <= found["p95"] < 5000
    assert row(boss, "on-deck")["error"] == 1
    assert row(boss, "library-items")["error"] == 1


def test_refused_requests_are_counted_by_endpoint(boss: Browser, api: Client) -> None:
    for _ in range(LIBRARY_OPERATIONS.requests + 3):
        api.get("/plex/libraries")
    assert row(boss, "libraries")["refused"] == 3
    assert row(boss, "library-items")["refused"] == 0


def test_pictures_are_counted_too(boss: Browser, api: Client) -> None:
    for _ in range(2):
        assert api.get("/plex/items/1000/images/thumb").status_code == 200
    found = row(boss, "image-paths")
    assert (found["hit"], found["miss"]) == (1, 1)


def test_what_is_kept_is_counted_with_bytes_and_ages(boss: Browser, api: Client) -> None:
    for start in range(3):
        api.data(f"/plex/libraries/1/items?size=2&start={start}")
    kept = row(boss, "library-items")["kept"]
    assert kept.entries == 3
    assert kept.size > 1000
    assert 0 <= kept.newest <= kept.oldest < 60
    assert row(boss, "search")["kept"].entries == 0


def test_the_numbers_of_all_workers_add_up_in_redis(
    shared: Any, valkey: Valkey, boss: Browser, api: Client
) -> None:
    api.data("/plex/libraries")
    api.data("/plex/libraries")
    metrics.flush()
    (name,) = valkey.client.keys("medianest:count:*")
    valkey.client.hincrby(name, "libraries:HIT", 40)
    found = row(boss, "libraries")
    assert (found["hit"], found["miss"], found["kept"].entries) == (41, 1, 1)
    assert 0 < valkey.client.ttl(name) <= 24 * 3600
    text = shown(boss.get(STATUS))
    assert "Redis Up: answered in" in text
    assert "Breaker Closed: Plex is asked. Failures in a row: 0." in text


def test_what_redis_did_not_take_is_brought_later(
    stores: Any, valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = stores.use(valkey.url)
    metrics.count("search", metrics.HIT)
    with monkeypatch.context() as patch:
        patch.setattr(kept, "_run", lambda *_: None)
        metrics.flush()
    assert valkey.client.keys("medianest:count:*") == []
    metrics.count("search", metrics.HIT)
    assert metrics.together(metrics.slices(2))["search"].answers == {"HIT": 2}


def test_the_states_of_plex_redis_breaker_and_listener_are_told(
    boss: Browser, api: Client, plex: Simulator, settings: Any
) -> None:
    text = shown(boss.get(STATUS))
    assert "Plex Connected to Simulated Plex, version" in text
    assert "Redis Not used: this process keeps answers and limits alone." in text
    assert "Listener Not running" in text
    plex.fault("status", status=503)
    for _ in range(response_cache.FAILURES):
        api.error("/plex/server", 503, "PLEX_SERVER_UNAVAILABLE")
    store.current().put("listener", b'{"problem": "", "since": 0, "changed": 60}', 15)
    text = shown(boss.get(STATUS))
    assert "Plex Starting up: Plex answers, but is not ready yet." in text
    assert "Breaker Open after 5 failures in a row" in text
    assert "Listener Listening since 1970-01-01 00:00:00 UTC; last change heard 1970" in text
    assert "A library can be chosen while Plex answers." in text
    settings.PLEX_URL = ""
    assert "Plex No Plex server is configured." in shown(boss.get(STATUS))


def test_charts_are_drawn_here_without_script_or_style(
    boss: Browser, api: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics, "_now", lambda: 5_000_000)  # no slice ends in between
    assert "Nothing was answered." in shown(boss.get(STATUS))
    for _ in range(3):
        api.data("/plex/libraries")
    page = boss.get(STATUS).content.decode().partition('id="content"')[2]
    (chart,) = re.findall(r"<figure>.*?</figure>", page, re.DOTALL)
    assert 'aria-label="libraries: 3 answers in 6 hours, at most 3 in 5 minutes"' in chart
    heights = [float(each) for each in re.findall(r'height="([\d.]+)"/>', chart)]
    assert sum(heights) == pytest.approx(20, abs=0.05)
    assert not re.findall(r"<script|style=|on\w+=", chart)


@pytest.mark.parametrize("page", ["plexconnection/1/change/", "policychange/", "cachestatus/"])
def test_the_pages_hold_nothing_inline_and_nothing_from_outside(
    boss: Browser, page: str, api: Client
) -> None:
    api.data("/plex/libraries")
    whole = boss.get(f"/admin/plex_integration/{page}").content.decode()
    assert not re.findall(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>", whole)
    assert " style=" not in whole
    assert "<style" not in whole
    assert not re.findall(r'(?:src|href)="(?:https?:)?//(?!www\.w3\.org)[^"]*"', whole)


# --- Clearing -------------------------------------------------------------------------------------


def statuses(api: Client, *paths: str) -> list[str]:
    return [api.get(f"/plex{path}").headers["X-Plex-Cache-Status"] for path in paths]


PATHS = ("/server", "/libraries/1/items?size=1", "/libraries/2/items?size=1")


@pytest.mark.parametrize(
    ("what", "title", "expected"),
    [
        ("everything", "everything", ["MISS", "MISS", "MISS"]),
        ("endpoint:server", "endpoint server", ["MISS", "HIT", "HIT"]),
        ("library:2", "library 2", ["MISS", "HIT", "MISS"]),
    ],
)
def test_clearing_drops_what_was_named_and_is_logged(
    boss: Browser, api: Client, what: str, title: str, expected: list[str]
) -> None:
    statuses(api, *PATHS)
    asked = boss.post(CLEAR, {"what": what})
    assert f"Clear {title}?" in shown(asked)
    assert statuses(api, *PATHS) == ["HIT"] * 3
    remaining = api.get("/plex/server").headers["X-RateLimit-Remaining"]
    assert boss.post(CLEAR, {"what": what, "confirmed": "yes"}).headers["Location"] == STATUS
    answer = api.get("/plex/server")
    assert int(answer.headers["X-RateLimit-Remaining"]) == int(remaining) - 1, "limits stay"
    found = [answer.headers["X-Plex-Cache-Status"], *statuses(api, *PATHS[1:])]
    assert found == expected
    (entry,) = LogEntry.objects.all()
    assert entry.get_change_message() == f"Cleared {title}."


def test_cleared_answers_are_not_counted_as_kept(boss: Browser, api: Client) -> None:
    api.data("/plex/server")
    assert row(boss, "server")["kept"].entries == 1
    boss.post(CLEAR, {"what": "endpoint:server", "confirmed": "yes"})
    assert row(boss, "server")["kept"].entries == 0


@pytest.mark.parametrize("what", ["", "nothing", "endpoint:nonsense", "library:x", "library:"])
def test_what_does_not_exist_cannot_be_cleared(boss: Browser, api: Client, what: str) -> None:
    api.data("/plex/server")
    answer = boss.post(CLEAR, {"what": what, "confirmed": "yes"})
    assert told(answer) == ["There is no such thing to clear."]
    assert statuses(api, "/server") == ["HIT"]


def test_clearing_is_posted_and_needs_its_own_right(staff: Callable[..., Browser]) -> None:
    viewer = staff("view_cachestatus")
    assert viewer.get(STATUS).status_code == 200
    assert "Clear everything" not in viewer.get(STATUS).content.decode()
    assert viewer.get(CLEAR).status_code == 405
    assert viewer.post(CLEAR, {"what": "everything", "confirmed": "yes"}).status_code == 403
    assert LogEntry.objects.count() == 0


def test_staff_without_the_right_do_not_see_the_status(staff: Callable[..., Browser]) -> None:
    assert staff().get(STATUS).status_code == 403


# --- Percentiles ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("took", "p50", "p95"),
    [
        ([], None, None),
        ([0.001], 2, 2),
        ([0.010] * 19 + [1.0], 11, 11),
        ([0.010] * 18 + [1.0] * 2, 11, 1024),
        ([100.0], 32768, 32768),
    ],
)
def test_percentiles_are_told_as_the_bound_of_their_step(
    took: list[float], p50: int | None, p95: int | None
) -> None:
    for seconds in took:
        metrics.took("search", seconds)
    found = metrics.together(metrics.slices(2)).get("search", Counted())
    assert (found.percentile(50), found.percentile(95)) == (p50, p95)


def test_the_pages_are_named_in_the_index(boss: Browser) -> None:
    text = shown(boss.get(reverse("admin:index")))
    for name in ("Plex connection", "Policies", "Cache status", "Users"):
        assert name in text
