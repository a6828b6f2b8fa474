"""The banner on every page of the admin says what is wrong now, without asking Plex."""

import re
import signal
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError
from django.db import connection as database
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client as Browser

from medianest import store
from plex_integration.admin.service import banner, machine, plex_check
from plex_integration.admin.service.database import pending_migrations
from plex_integration.caching.breaker import FAILURES
from plex_integration.configuration import runtime
from plex_simulator import Simulator
from tests import counting
from tests.admin.conftest import CONNECTION, POLICIES, STATUS, shown
from tests.pace import Stopwatch
from tests.service import ROOT, Valkey

DOCUMENT = (ROOT / "docs/operating.md").read_text()
USERS = "/admin/accounts/user/"
PAGES = ("/admin/", USERS, POLICIES, STATUS, "/admin/password_change/", "/admin/plex_integration/")


@pytest.fixture
def listened(shared: Any) -> None:
    """A listener that is connected."""
    store.current().values.set("listener", b'{"problem": "", "since": 0}', 60)


def problems(browser: Browser, page: str = USERS) -> list[str]:
    """Return what the banner says; docs/operating.md says for each text what to do."""
    texts = [problem.text for problem in browser.get(page).context["problems"]]
    for text in texts:
        (beginning, *_) = re.split("[.:]", text)
        assert f"| {beginning}" in DOCUMENT, text
    return texts


def test_a_service_that_works_has_no_banner(boss: Browser, listened: None) -> None:
    assert problems(boss) == []
    assert 'aria-label="Problems"' not in boss.get(USERS).content.decode()


def test_a_service_without_redis_has_no_banner(boss: Browser) -> None:
    assert problems(boss) == []


@pytest.mark.parametrize("page", PAGES)
def test_every_page_has_the_banner(boss: Browser, settings: Any, page: str) -> None:
    settings.PLEX_URL = ""
    problems(boss, page)
    page_text = shown(boss.get(page))
    assert "No Plex server is connected, so requests for Plex get 503. Connect to Plex" in page_text


def test_the_banner_leads_superusers_to_the_connection(
    boss: Browser, staff: Callable[..., Browser], settings: Any
) -> None:
    settings.PLEX_URL = ""
    assert f'href="{CONNECTION}"' in boss.get(USERS).content.decode()
    page = staff("view_user").get(USERS).content.decode()
    assert "No Plex server is connected" in page
    assert f'href="{CONNECTION}">Connect' not in page


def test_nobody_sees_the_banner_before_signing_in(settings: Any, transactional_db: None) -> None:
    settings.PLEX_URL = ""
    assert "No Plex server is connected" not in shown(Browser().get("/admin/login/"))


def test_a_plex_that_failed_its_last_check_is_reported_for_a_minute(
    boss: Browser, plex: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plex_check, "PATIENCE_SECONDS", 20.0)
    plex.fault("refused")
    boss.get("/admin/")
    (text,) = problems(boss)
    assert text.startswith("Plex is unavailable. Cannot be reached: the connection was refused")
    monkeypatch.setattr(banner, "MAX_CHECK_AGE", 0.0)
    assert problems(boss) == []


def test_an_open_circuit_breaker_is_reported(boss: Browser, listened: None) -> None:
    connection = runtime.required_connection()
    for _ in range(FAILURES):
        store.current().breaker.record_failure(connection.server, FAILURES)
    assert problems(boss) == ["Plex is unavailable. It failed 5 times in a row."]


def test_a_missing_listener_is_reported_where_there_is_redis(shared: Any, boss: Browser) -> None:
    assert problems(boss) == [
        "No listener is running: a change in Plex shows when the cache time is over."
    ]


def test_a_listener_without_plex_is_reported(shared: Any, boss: Browser) -> None:
    store.current().values.set("listener", b'{"problem": "Plex ended the stream", "since": 0}', 60)
    assert problems(boss) == ["The listener is not connected to Plex: Plex ended the stream."]


def test_pending_migrations_are_reported(boss: Browser) -> None:
    MigrationRecorder(database).record_unapplied("accounts", "0004_plex_links")
    pending_migrations.cache_clear()
    assert problems(boss) == [
        "The database is not up to date: 1 migration pending. Run manage.py migrate."
    ]


def test_pending_migrations_are_reported_while_the_tables_of_the_settings_are_older(
    boss: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    MigrationRecorder(database).record_unapplied("accounts", "0004_plex_links")
    pending_migrations.cache_clear()
    monkeypatch.setattr(runtime, "_read", _fail)
    (text,) = problems(boss)
    assert "1 migration pending" in text
    assert "does not say which server is connected" in shown(boss.get("/admin/"))


def _fail(version: str | None) -> Any:
    raise OperationalError("no such column")


def test_a_disk_that_is_almost_full_is_reported(
    boss: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "MIN_FREE_BYTES", 2**60)
    (text,) = problems(boss)
    assert text.startswith("The disk of the pictures is almost full:")


def test_a_full_redis_is_reported(boss: Browser, listened: None, valkey: Valkey) -> None:
    valkey.client.config_set("maxmemory", "1")
    try:
        assert problems(boss) == ["Redis is full. New responses are not cached."]
    finally:
        valkey.client.config_set("maxmemory", "0")


def test_a_redis_that_hangs_delays_no_page_for_long_and_is_reported(
    stores: Any, valkey: Valkey, boss: Browser
) -> None:
    stores.use(valkey.url, is_patient=False)
    boss.get(USERS)
    valkey.send(signal.SIGSTOP)
    try:
        watch = Stopwatch()
        found = problems(boss)
        assert watch.keeps(1)
    finally:
        valkey.send(signal.SIGCONT)
    assert found == [
        "Redis is unavailable. Responses are not cached, and each process counts rate limits by "
        "itself."
    ]


def test_the_banner_costs_one_round_trip_and_no_query_and_asks_plex_nothing(
    boss: Browser, listened: None, plex: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    boss.get(USERS)
    monkeypatch.setattr(runtime, "_checked_until", float("inf"))
    trips, queries = counting.round_trips(monkeypatch), counting.queries(monkeypatch)
    user = boss.get(USERS).context["request"].user
    trips.clear()
    queries.clear()
    assert banner.problems(user) == []
    assert len(trips) == 1
    assert queries == []
    assert plex.count() == 0
    plex_check.forget()
