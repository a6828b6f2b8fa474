"""The cache's page: correct numbers, clearing after a confirmation, and no foreign scripts."""

import re
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client as Browser
from django.urls import reverse

from accounts import tokens
from accounts.models import User
from medianest import store
from medianest.store.counters import RedisCounters
from medianest.store.redis_server import RedisServer
from plex_integration.admin import charts
from plex_integration.caching import metrics, tags
from plex_integration.caching.breaker import FAILURES
from plex_integration.caching.metrics import Counted
from plex_integration.policies import LIBRARY_OPERATIONS
from plex_integration.viewers.connections import connection_of
from plex_simulator import Simulator
from tests.admin.conftest import STATUS, messages_of, shown
from tests.conftest import Client
from tests.service import Valkey
from tests.viewers.conftest import link_to

CLEAR = f"{STATUS}clear/"


def row(boss: Browser, name: str) -> dict[str, Any]:
    rows = boss.get(STATUS).context["rows"]
    return next(each for each in rows if each["name"] == name)


def test_every_outcome_is_counted_for_its_endpoint(
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
    assert (row(boss, "library-items")["error"], row(boss, "library-items")["client_error"]) == (
        1,
        1,
    )
    assert row(boss, "libraries")["client_error"] == 0


def test_refused_requests_are_counted_by_endpoint(boss: Browser, api: Client) -> None:
    for _ in range(LIBRARY_OPERATIONS.requests + 3):
        api.get("/plex/libraries")
    assert row(boss, "libraries")["refused"] == 3
    assert row(boss, "library-items")["refused"] == 0


def test_images_are_counted_as_well(boss: Browser, api: Client) -> None:
    for _ in range(2):
        assert api.get("/plex/items/1000/images/thumb").status_code == 200
    found = row(boss, "image-paths")
    assert (found["hit"], found["miss"]) == (1, 1)


def test_cached_responses_are_counted_with_bytes_and_ages(boss: Browser, api: Client) -> None:
    for start in range(3):
        api.data(f"/plex/libraries/1/items?size=2&start={start}")
    stored = row(boss, "library-items")["stored"]
    assert stored.entries == 3
    assert stored.size > 1000
    assert 0 <= stored.newest <= stored.oldest < 60
    assert row(boss, "search")["stored"].entries == 0


@pytest.mark.parametrize("kind", ["one process", "Redis"])
def test_cached_responses_of_viewers_are_counted_until_their_view_ends(
    boss: Browser, plextv: Simulator, user: User, server: Any, request: Any, kind: str
) -> None:
    if kind == "Redis":
        request.getfixturevalue("shared")
    link = link_to(user, plextv.add_account("Anna"), plextv)
    api = Client(server.url, tokens.issue(user).access)
    api.data("/plex/libraries")
    assert row(boss, "libraries")["stored"].entries == 1
    tags.invalidate_for(connection_of(link).scope, [tags.ALL_LIBRARIES])
    assert row(boss, "libraries")["stored"].entries == 0


def test_the_numbers_of_all_workers_add_up_in_redis(
    shared: Any, valkey: Valkey, boss: Browser, api: Client
) -> None:
    api.data("/plex/libraries")
    api.data("/plex/libraries")
    metrics.flush()
    (name,) = valkey.client.keys("medianest:count:*")
    valkey.client.hincrby(name, "libraries:HIT", 40)
    found = row(boss, "libraries")
    assert (found["hit"], found["miss"], found["stored"].entries) == (41, 1, 1)
    assert 0 < valkey.client.ttl(name) <= 24 * 3600
    text = shown(boss.get(STATUS))
    assert "Redis Available. Responded in" in text
    assert "Circuit breaker Normal. No recent failures." in text


def test_numbers_that_redis_did_not_receive_are_added_later(
    stores: Any, valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    stores.use(valkey.url)
    metrics.record_response("search", metrics.HIT)
    with monkeypatch.context() as patch:
        patch.setattr(RedisServer, "execute", lambda *_: None)
        metrics.flush()
    assert valkey.client.keys("medianest:count:*") == []
    metrics.record_response("search", metrics.HIT)
    assert metrics.total(metrics.slices(2))["search"].responses == {"HIT": 2}


def test_numbers_that_a_thread_is_adding_are_found(
    shared: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    add, is_adding = RedisCounters.add, threading.Event()

    def add_slowly(*given: Any) -> bool:
        is_adding.set()
        time.sleep(0.5)  # as a slow Redis does
        return add(*given)

    monkeypatch.setattr(RedisCounters, "add", add_slowly)
    metrics.record_response("search", metrics.HIT)
    thread = threading.Thread(target=metrics.flush)
    thread.start()
    assert is_adding.wait(20)
    assert metrics.total(metrics.slices(2))["search"].responses == {"HIT": 1}
    thread.join()


def test_the_states_of_plex_redis_breaker_and_listener_are_shown(
    boss: Browser, api: Client, plex: Simulator, settings: Any
) -> None:
    text = shown(boss.get(STATUS))
    assert "Plex Connected to Simulated Plex, version" in text
    assert (
        "Redis Not configured. This process caches responses and counts limits by itself." in text
    )
    assert "Listener Not running. Responses are cached until their cache time is over." in text
    plex.fault("status", status=503)
    api.error("/plex/server", 503, "PLEX_SERVER_UNAVAILABLE")
    assert "Circuit breaker Normal. Recent failures in a row: 1." in shown(boss.get(STATUS))
    for _ in range(FAILURES - 1):
        api.error("/plex/server", 503, "PLEX_SERVER_UNAVAILABLE")
    store.current().values.set("listener", b'{"problem": "", "since": 0, "changed": 60}', 15)
    text = shown(boss.get(STATUS))
    assert "Plex Starting up: Plex answers, but is not ready yet." in text
    assert "Circuit breaker Open after 5 failures in a row" in text
    assert "Listener Connected since 1970-01-01 00:00:00 UTC. Last change received 1970" in text
    assert "A single library can be cleared only while Plex is available." in text
    settings.PLEX_URL = ""
    assert "Plex No Plex server is configured." in shown(boss.get(STATUS))


def test_the_page_says_that_redis_is_full(boss: Browser, shared: Any, valkey: Valkey) -> None:
    valkey.client.config_set("maxmemory", "1")
    try:
        assert "Redis Full: it refuses writes." in shown(boss.get(STATUS))
    finally:
        valkey.client.config_set("maxmemory", "0")
    assert "Redis Available." in shown(boss.get(STATUS))


def test_charts_need_no_script_and_no_style(
    boss: Browser, api: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics, "_now", lambda: 5_000_000)  # no slice ends in between
    assert "No responses yet." in shown(boss.get(STATUS))
    for _ in range(3):
        api.data("/plex/libraries")
    page = boss.get(STATUS).content.decode().partition('id="content"')[2]
    (chart,) = re.findall(r"<figure>.*?</figure>", page, re.DOTALL)
    assert ">/libraries</title>" in chart
    assert "3 responses in 6 hours, at most 3 in 5 minutes." in chart
    assert not re.findall(r"<script|style=|on\w+=", chart)


def test_a_chart_has_axes_and_a_bar_that_is_as_high_as_its_number() -> None:
    counted = Counted({metrics.HIT: 2, metrics.MISS: 1, metrics.CLIENT_ERROR: 4, metrics.ERROR: 1})
    end = 1_000_000 * metrics.SLICE
    slices = [{}] * (charts.BARS - 1) + [{"libraries": counted}]
    (chart,) = charts.charts(["search", "libraries"], slices, end)
    assert (chart.label, chart.total, chart.most) == ("/libraries", 8, 8)
    assert [tick.text for tick in chart.vertical] == ["0", "5", "10"]
    height = charts.BOTTOM - charts.TOP
    assert [(each.style, each.height) for each in chart.rectangles] == [
        ("others", pytest.approx(height * 0.1)),
        ("hits", pytest.approx(height * 0.2)),
        ("errors", pytest.approx(height * 0.5)),
    ]
    upper = [each.y for each in chart.rectangles]
    assert upper == [pytest.approx(charts.BOTTOM - height * part) for part in (0.1, 0.3, 0.8)]
    # So many slices of 5 minutes end at 05:20 UTC.
    assert [tick.text for tick in chart.horizontal] == ["00:00", "02:00", "04:00"]
    assert chart.rows[0] == ("23:20", [0, 0, 0])
    assert chart.rows[-1] == ("04:50", [1, 2, 5])


@pytest.mark.parametrize(
    ("number", "end"), [(1, 1), (2, 2), (3, 5), (6, 10), (10, 10), (11, 20), (501, 1000)]
)
def test_an_axis_ends_at_a_round_number(number: int, end: int) -> None:
    assert charts.round_up(number) == end


def test_the_table_beneath_a_chart_has_its_numbers(boss: Browser, api: Client) -> None:
    for _ in range(3):
        api.data("/plex/libraries")
    text = shown(boss.get(STATUS))
    assert "Numbers of /libraries 30 minutes from Other responses Cache hits Errors" in text
    assert re.search(r"\d\d:\d\d 1 2 0", text)


def test_sizes_and_times_have_units(boss: Browser, api: Client) -> None:
    api.data("/plex/libraries")
    text = shown(boss.get(STATUS))
    assert re.search(r"/libraries 1 [\d.]+ (bytes|KB) \d s ago \d s ago", text)
    assert re.search(r"/libraries 0 1 0 0 0 0 0 0 % [\d.]+ (ms|s) [\d.]+ (ms|s)", text)


def test_a_total_row_adds_all_endpoints_up(boss: Browser, api: Client) -> None:
    for _ in range(2):
        api.data("/plex/libraries")
    api.data("/plex/server")
    api.get("/plex/libraries/99/items")
    total = boss.get(STATUS).context["total"]
    # The library catalog is loaded once, too.
    assert (total["hit"], total["client_error"]) == (1, 1)
    rows = boss.get(STATUS).context["rows"]
    for name in ("hit", "miss", "client_error"):
        assert total[name] == sum(each[name] for each in rows), name
    assert total["stored"].entries == sum(each["stored"].entries for each in rows)
    assert total["stored"].size == sum(each["stored"].size for each in rows)
    assert total["p95"] is not None
    assert shown(boss.get(STATUS)).count("Total") == 2


def test_pictures_are_shown_with_number_size_and_hit_rate(boss: Browser, api: Client) -> None:
    assert boss.get(STATUS).context["pictures"]["count"] == 0
    for _ in range(4):
        assert api.get("/plex/items/1000/images/thumb").status_code == 200
    text = shown(boss.get(STATUS))
    assert re.search(r"Pictures 1 Size [\d.]+ KB of 1\.0 GB Free on the disk [\d.]+ [MGT]B", text)
    assert "Hit rate, 24 hours, all workers 75 %" in text


def test_the_parts_of_the_page_alone_take_no_message_from_the_next_page(
    boss: Browser, api: Client
) -> None:
    boss.post(CLEAR, {"what": "everything", "confirmed": "yes"})
    parts = boss.get(f"{STATUS}?parts").content.decode()
    assert "<html" not in parts
    assert 'id="part-day"' in parts
    assert "Cache cleared." in shown(boss.get(STATUS))


@pytest.mark.parametrize("page", ["plexconnection/1/change/", "policychange/", "cachestatus/"])
def test_the_pages_have_no_inline_and_no_foreign_content(
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
    ("what", "part", "expected"),
    [
        ("everything", "", ["MISS", "MISS", "MISS"]),
        ("endpoint:server", " of /server", ["MISS", "HIT", "HIT"]),
        ("library:2", " of library 2", ["MISS", "HIT", "MISS"]),
    ],
)
def test_clearing_affects_only_the_chosen_part_and_is_logged(
    boss: Browser, api: Client, what: str, part: str, expected: list[str]
) -> None:
    statuses(api, *PATHS)
    confirmation = shown(boss.post(CLEAR, {"what": what}))
    assert f"Clear the cache{part}?" in confirmation
    assert f"All cached responses{part} will be loaded from Plex again." in confirmation
    assert statuses(api, *PATHS) == ["HIT"] * 3
    remaining = api.get("/plex/server").headers["X-RateLimit-Remaining"]
    cleared = boss.post(CLEAR, {"what": what, "confirmed": "yes"})
    assert cleared.headers["Location"] == STATUS
    assert messages_of(cleared) == [f"Cache{part} cleared."]
    answer = api.get("/plex/server")
    assert int(answer.headers["X-RateLimit-Remaining"]) == int(remaining) - 1, "limits stay"
    found = [answer.headers["X-Plex-Cache-Status"], *statuses(api, *PATHS[1:])]
    assert found == expected
    (entry,) = LogEntry.objects.all()
    assert entry.get_change_message() == f"Cleared the cache{part}."


def test_pictures_are_cleared_on_this_machine_after_a_confirmation(
    boss: Browser, api: Client, plex: Simulator
) -> None:
    path = "/plex/items/1000/images/thumb"
    api.get(path)
    api.data("/plex/server")
    confirmation = shown(boss.post(CLEAR, {"what": "pictures"}))
    assert "Clear the pictures on this machine?" in confirmation
    assert f"this machine ({socket.gethostname()})" in confirmation
    assert api.get(path).headers["X-Plex-Cache-Status"] == "HIT"
    cleared = boss.post(CLEAR, {"what": "pictures", "confirmed": "yes"})
    assert messages_of(cleared) == ["Pictures on this machine cleared."]
    assert boss.get(STATUS).context["pictures"]["count"] == 0
    assert boss.get(STATUS).context["pictures"]["used"] == 0
    assert api.get(path).headers["X-Plex-Cache-Status"] == "MISS"
    assert statuses(api, "/server") == ["HIT"], "responses stay"
    (entry,) = LogEntry.objects.all()
    assert entry.get_change_message() == "Cleared the pictures on this machine."


def test_pictures_that_cannot_be_cleared_are_reported(
    boss: Browser, settings: Any, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("not a folder")
    settings.PICTURES_FOLDER = tmp_path / "file" / "pictures"
    (message,) = messages_of(boss.post(CLEAR, {"what": "pictures", "confirmed": "yes"}))
    assert message.startswith("The folder of pictures cannot be changed now.")


def test_cleared_responses_are_not_counted_as_cached(boss: Browser, api: Client) -> None:
    api.data("/plex/server")
    assert row(boss, "server")["stored"].entries == 1
    boss.post(CLEAR, {"what": "endpoint:server", "confirmed": "yes"})
    assert row(boss, "server")["stored"].entries == 0


@pytest.mark.parametrize("what", ["", "nothing", "endpoint:nonsense", "library:x", "library:"])
def test_an_unknown_part_cannot_be_cleared(boss: Browser, api: Client, what: str) -> None:
    api.data("/plex/server")
    answer = boss.post(CLEAR, {"what": what, "confirmed": "yes"})
    assert messages_of(answer) == ["There is no such thing to clear."]
    assert statuses(api, "/server") == ["HIT"]


def test_clearing_needs_post_and_its_own_permission(staff: Callable[..., Browser]) -> None:
    viewer = staff("view_cachestatus")
    assert viewer.get(STATUS).status_code == 200
    assert "Clear everything" not in viewer.get(STATUS).content.decode()
    assert viewer.get(CLEAR).status_code == 405
    assert viewer.post(CLEAR, {"what": "everything", "confirmed": "yes"}).status_code == 403
    assert LogEntry.objects.count() == 0


def test_staff_without_permission_do_not_see_the_status(staff: Callable[..., Browser]) -> None:
    assert staff().get(STATUS).status_code == 403


# --- Percentiles ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("durations", "p50", "p95"),
    [
        ([], None, None),
        ([0.001], 2, 2),
        ([0.010] * 19 + [1.0], 11, 11),
        ([0.010] * 18 + [1.0] * 2, 11, 1024),
        ([100.0], 32768, 32768),
    ],
)
def test_a_percentile_is_the_upper_bound_of_its_step(
    durations: list[float], p50: int | None, p95: int | None
) -> None:
    for seconds in durations:
        metrics.record_load("search", seconds)
    found = metrics.total(metrics.slices(2)).get("search", Counted())
    assert (found.percentile(50), found.percentile(95)) == (p50, p95)


def test_the_index_lists_the_pages(boss: Browser) -> None:
    text = shown(boss.get(reverse("admin:index")))
    for name in ("Plex connection", "Cache times and rate limits", "Cache status", "Users"):
        assert name in text
