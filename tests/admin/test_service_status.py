"""The admin's first page says how the service is: a line for everything that it depends on."""

import re
from collections.abc import Callable, Iterator
from html import unescape
from typing import Any

import pytest
from django.db import connection as database
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client as Browser

from medianest import store
from medianest.monitoring import processes
from medianest.monitoring.processes import WORKER
from plex_integration.admin.service import machine, plex_check
from plex_integration.admin.service.database import facts, pending_migrations
from plex_integration.caching.breaker import FAILURES
from plex_integration.configuration import runtime
from plex_integration.configuration.models import PlexConnection
from plex_simulator import Simulator
from tests import counting
from tests.admin.conftest import shown
from tests.conftest import Client
from tests.environment import IS_POSTGRESQL
from tests.pace import Stopwatch
from tests.service import Valkey, until

INDEX = "/admin/"
PARTS = "/admin/plex_integration/cachestatus/service/"
LINE = re.compile(r'<tr data-line="([^"]+)" data-state="([^"]+)">(.*?)</tr>', re.DOTALL)


def lines(browser: Browser, path: str = INDEX, **headers: str) -> dict[str, tuple[str, str]]:
    """Return the state and the text of each line by its name."""
    page = browser.get(path, **headers).content.decode()  # type: ignore[arg-type]
    return {
        name: (state, unescape(" ".join(re.sub(r"<[^>]+>", " ", row).split())))
        for name, state, row in LINE.findall(page)
    }


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a page wait for the check of Plex on a busy machine, too."""
    monkeypatch.setattr(plex_check, "PATIENCE_SECONDS", 20.0)


def line(browser: Browser, name: str) -> tuple[str, str]:
    return lines(browser)[name]


def test_the_first_page_shows_the_status_and_the_list_of_pages(boss: Browser) -> None:
    text = shown(boss.get(INDEX))
    assert "Status" in text
    assert "Plex connection" in text
    others = ["Clocks"] if IS_POSTGRESQL else []
    assert list(lines(boss)) == [
        "Plex", "Redis", "Database", "Migrations", "Listener", "Workers", "Pictures", *others,
        "Settings", "Versions",
    ]  # fmt: skip


def test_the_state_is_a_word_and_not_only_a_colour(boss: Browser) -> None:
    assert all(state in text for state, text in lines(boss).values())


def test_plex_is_shown_with_name_version_address_and_time(boss: Browser, plex: Simulator) -> None:
    state, text = line(boss, "Plex")
    assert state == "OK"
    assert "Connected to Simulated Plex, version" in text
    assert re.search(r"in \d+ ms\. Connected since \d{4}-.* UTC\. Checked \d+ s ago\.", text)
    assert f"Address: {plex.url}." in text
    assert "Circuit breaker: Normal." in text
    assert plex.owner_token not in boss.get(INDEX).content.decode()


def test_the_page_waits_for_a_slow_plex_for_half_a_second_at_most(
    boss: Browser, plex: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plex_check, "PATIENCE_SECONDS", 0.5)
    boss.get(PARTS)
    plex_check.forget()
    plex.fault("slow", path="/identity", delay=1.9)
    watch = Stopwatch()
    boss.get(PARTS)
    assert watch.keeps(1)


def test_plex_that_fails_is_a_problem_since_the_first_failed_check(
    boss: Browser, plex: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plex_check, "EVERY_SECONDS", 0.0)
    assert line(boss, "Plex")[0] == "OK"
    plex.fault("refused")
    state, first = line(boss, "Plex")
    assert state == "Problem"
    assert "Cannot be reached: the connection was refused" in first
    (since,) = re.findall("Not connected since (.*?) UTC", first)
    assert f"Not connected since {since} UTC" in line(boss, "Plex")[1]


def test_an_open_circuit_breaker_is_a_problem(boss: Browser, plex: Simulator) -> None:
    connection = runtime.required_connection()
    for _ in range(FAILURES):
        store.current().breaker.record_failure(connection.server, FAILURES)
    state, text = line(boss, "Plex")
    assert state == "Problem"
    assert "Circuit breaker: Open after 5 failures in a row." in text


def test_a_changed_token_is_checked_at_once(boss: Browser, plex: Simulator) -> None:
    assert line(boss, "Plex")[0] == "OK"
    row = PlexConnection.objects.get()
    row.token = "wrong"
    row.save()
    assert "Wrong token: Plex refuses it." in line(boss, "Plex")[1]


def test_a_service_without_a_connection_says_so(boss: Browser, settings: Any) -> None:
    settings.PLEX_URL = ""
    assert line(boss, "Plex") == (
        "Problem",
        "Plex ✕ Problem No Plex server is connected, so requests for Plex get 503.",
    )


def test_redis_is_shown_with_version_memory_and_keys(
    shared: Any, valkey: Valkey, boss: Browser
) -> None:
    state, text = line(boss, "Redis")
    assert state == "OK"
    assert re.search(
        r"(Valkey|Redis) [\d.]+\. Memory: [\d.]+ [KM]B, without a limit\. \d+ keys? in the "
        r"service's database\. Responded in [\d.]+ ms\.",
        text,
    )
    others = " The database: same time as this machine." if IS_POSTGRESQL else ""
    assert line(boss, "Clocks") == ("OK", f"Clocks ✓ OK Redis: same time as this machine.{others}")


def test_a_full_redis_is_a_problem(shared: Any, valkey: Valkey, boss: Browser) -> None:
    valkey.client.config_set("maxmemory", "1")
    try:
        state, text = line(boss, "Redis")
    finally:
        valkey.client.config_set("maxmemory", "0")
    assert (state, "It is full and refuses writes" in text) == ("Problem", True)


def test_a_redis_that_is_unavailable_is_a_problem_and_workers_are_unknown(
    stores: Any, valkey: Valkey, boss: Browser
) -> None:
    shared = stores.use(valkey.url)
    shared._cache.availability._unavailable.set()
    assert line(boss, "Redis")[0] == "Problem"
    assert line(boss, "Workers")[1].endswith("Unknown while Redis is unavailable.")
    assert line(boss, "Plex")[0] == "OK"


def test_each_redis_of_the_settings_has_a_line(stores: Any, valkey: Valkey, boss: Browser) -> None:
    stores.use(valkey.url, valkey.url.rpartition("/")[0] + "/1")
    assert line(boss, "Redis for limits")[0] == "OK"


def test_the_database_is_shown_with_kind_size_and_time(boss: Browser) -> None:
    state, text = line(boss, "Database")
    assert state == "OK"
    kind = r"PostgreSQL \d+\..*" if IS_POSTGRESQL else r"SQLite 3\.[\d.]+"
    assert re.search(rf"{kind}\. [\d.]+ [KM]B\. Responded in [\d.]+ (ms|s)\.", text)
    assert facts().size > 10_000


def test_pending_migrations_are_named(boss: Browser) -> None:
    assert line(boss, "Migrations") == (
        "OK",
        "Migrations ✓ OK The database is up to date.",
    )
    MigrationRecorder(database).record_unapplied("accounts", "0004_plex_links")
    pending_migrations.cache_clear()
    state, text = line(boss, "Migrations")
    assert state == "Problem"
    assert text.endswith("Pending: accounts.0004_plex_links. Run manage.py migrate.")


@pytest.mark.parametrize(
    ("written", "state", "sentence"),
    [
        (None, "Attention", "No listener is running"),
        (b'{"problem": "", "since": 0, "changed": 60}', "OK", "Connected since 1970-01-01"),
        (b'{"problem": "lost", "since": 0}', "Problem", "Not connected since 1970-01-01"),
    ],
)
def test_the_listener_is_running_connected_or_neither(
    shared: Any, boss: Browser, written: bytes | None, state: str, sentence: str
) -> None:
    if written:
        store.current().values.set("listener", written, 15)
    found, text = line(boss, "Listener")
    assert found == state
    assert sentence in text


def test_a_listener_needs_redis(boss: Browser) -> None:
    assert line(boss, "Listener")[0] == "Not used"


@pytest.fixture
def two_workers(shared: Any) -> Iterator[Callable[[str], None]]:
    """Return a function that reports another worker of a version, beside this one."""

    def report(version: str) -> None:
        text = (
            '{"role": "worker", "host": "other", "pid": 41, "started": 0, "requests": 5, '
            f'"version": "{version}"}}'
        )
        shared.reports.write("process:worker:other:41", text)

    processes.begin(WORKER, lambda: 2)
    yield report
    processes.end()


def test_all_workers_are_listed(boss: Browser, two_workers: Callable[[str], None]) -> None:
    two_workers(processes.VERSION)
    assert line(boss, "Workers")[1].endswith("2 workers on 2 machines, 7 requests.")
    assert re.search(r"Worker other 41 \d+ d( \d+ (h|min))? ago \S+ 5", shown(boss.get(INDEX)))


def test_workers_of_different_versions_deserve_attention(
    boss: Browser, two_workers: Callable[[str], None]
) -> None:
    two_workers("0.9")
    state, text = line(boss, "Workers")
    assert state == "Attention"
    assert f"They run different versions: 0.9, {processes.VERSION}." in text


def test_pictures_are_shown_with_the_space_that_is_left(boss: Browser, api: Client) -> None:
    assert api.get("/plex/items/1000/images/thumb").status_code == 200
    state, text = line(boss, "Pictures")
    assert state == "OK"
    assert re.search(r"[\d.]+ KB of 1\.0 GB on this machine\. [\d.]+ [MGT]B free on the disk", text)


def test_a_disk_that_is_almost_full_is_a_problem(
    boss: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "MIN_FREE_BYTES", 2**60)
    state, text = line(boss, "Pictures")
    assert state == "Problem"
    assert "The disk of the pictures is almost full" in text


def test_a_folder_of_pictures_that_cannot_be_written_is_a_problem(
    boss: Browser, settings: Any, tmp_path: Any
) -> None:
    settings.PICTURES_FOLDER = tmp_path / "file" / "pictures"
    (tmp_path / "file").write_text("not a folder")
    state, text = line(boss, "Pictures")
    assert (state, "The folder of pictures cannot be written" in text) == ("Problem", True)


def test_a_service_that_caches_no_pictures_says_so(boss: Browser, settings: Any) -> None:
    settings.PICTURES_MIB = 0
    assert line(boss, "Pictures")[0] == "Not used"


def test_clocks_that_differ_deserve_attention() -> None:
    found = machine.clocks(redis=5.2, database=-90.0)
    assert found is not None
    assert (found.state.value, list(found.sentences)) == (
        "Attention",
        ["Redis: 5 s ahead of this machine.", "The database: 90 s behind this machine."],
    )
    assert machine.clocks(redis=None, database=None) is None


def test_the_versions_of_what_matters_are_shown(boss: Browser) -> None:
    text = line(boss, "Versions")[1]
    assert f"MediaNest {processes.VERSION}" in text
    for name in ("Python", "Django", "PlexAPI"):
        assert re.search(rf"{name} \d", text), name


@pytest.mark.parametrize(
    ("setting", "value", "sentence"),
    [
        ("DEBUG", True, "DEBUG is on"),
        ("SECRET_KEY", "a" * 40, "SECRET_KEY has few different characters"),
        ("ALLOWED_HOSTS", ["*"], "ALLOWED_HOSTS accepts any host name."),
    ],
)
def test_settings_that_look_wrong_are_named(
    boss: Browser, settings: Any, setting: str, value: Any, sentence: str
) -> None:
    assert line(boss, "Settings") == ("OK", "Settings ✓ OK Nothing looks wrong.")
    setattr(settings, setting, value)
    state, text = line(boss_again(boss, settings, setting), "Settings")
    assert (state, sentence in text) == ("Attention", True)
    assert str(value) not in text


def boss_again(boss: Browser, settings: Any, setting: str) -> Browser:
    """Return the browser, signed in again where another key ended its session."""
    if setting == "SECRET_KEY":
        from accounts.models import User

        boss.force_login(User.objects.get(username="root"))
    return boss


def test_a_proxy_that_the_settings_do_not_know_is_noticed(boss: Browser, settings: Any) -> None:
    found = lines(boss, HTTP_X_FORWARDED_FOR="203.0.113.7")["Settings"]
    assert (found[0], "PROXY_COUNT is 0" in found[1]) == ("Attention", True)
    settings.PROXY_COUNT = 1
    assert lines(boss, HTTP_X_FORWARDED_FOR="203.0.113.7")["Settings"][0] == "OK"


def test_several_workers_without_redis_are_noticed_where_they_are_known(
    boss: Browser, settings: Any
) -> None:
    settings.WORKERS = 2
    assert "There are 2 workers without Redis" in line(boss, "Settings")[1]


def test_a_connection_that_accepts_any_certificate_is_noticed(boss: Browser) -> None:
    runtime.current()
    row = PlexConnection.objects.get()
    row.url, row.tls = row.url.replace("http:", "https:"), PlexConnection.Tls.ACCEPT
    row.save()
    assert "accepts any certificate" in line(boss, "Settings")[1]


def test_errors_are_listed_with_the_ids_of_their_requests(
    boss: Browser, api: Client, plex: Simulator
) -> None:
    assert "Errors of the last 24 hours None." in shown(boss.get(INDEX))
    plex.fault("status", status=500)
    failed = api.get("/plex/server")
    text = shown(boss.get(INDEX))
    assert re.search(rf"PLEX_API_ERROR 1 1 .* UTC {failed.headers['X-Request-ID']}", text)


def test_the_parts_alone_are_the_same_lines_and_need_the_permission(
    boss: Browser, staff: Callable[..., Browser]
) -> None:
    parts = boss.get(PARTS).content.decode()
    assert "<html" not in parts
    assert 'id="problem-banner"' in parts
    assert list(lines(boss, PARTS)) == list(lines(boss))
    assert staff().get(PARTS).status_code == 403
    assert Browser().get(PARTS).status_code == 302


def test_staff_need_the_permission_to_see_the_status(staff: Callable[..., Browser]) -> None:
    text = shown(staff("view_user").get(INDEX))
    assert "Users" in text
    assert "Errors of the last 24 hours" not in text


def test_staff_who_may_see_the_cache_see_the_status(staff: Callable[..., Browser]) -> None:
    assert line(staff("view_cachestatus"), "Plex")[0] == "OK"


def test_refreshing_does_not_prolong_the_session(boss: Browser) -> None:
    boss.get(PARTS)
    response = boss.get(PARTS)
    assert "sessionid" not in response.cookies
    assert response.headers["Cache-Control"].startswith("max-age=0, no-cache, no-store")


def test_only_the_status_checks_plex_and_not_more_often_than_every_5_seconds(
    boss: Browser, plex: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    boss.get("/admin/accounts/user/")
    assert plex.count() == 0
    for _ in range(3):
        boss.get(INDEX)
    until(lambda: plex.count("/library/sections") == 1, 5, "the check has ended")
    assert plex.count("/identity") == 1


def test_the_status_costs_a_known_number_of_round_trips(
    shared: Any, boss: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    boss.get(PARTS)
    trips = counting.round_trips(monkeypatch)
    boss.get(PARTS)
    # The banner and the lines; what Redis says about itself; the errors and their requests.
    assert len(trips) <= 6, trips
