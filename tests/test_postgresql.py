"""The service on a real PostgreSQL: connections, restarts, and a server that answers nothing."""

import json
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import parse_qsl

import pytest
import requests

from medianest.asgi import SIGN_IN_THREADS
from medianest.database.postgresql import availability
from medianest.database.postgresql.availability import Availability
from plex_simulator import Simulator
from tests.conftest import PASSWORD
from tests.pace import Stopwatch
from tests.postgresql import DATABASE, PostgreSQL
from tests.service import ROOT, House, Service, Valkey, ask, at_once, until

WORKERS, GENERAL, WAITING = 2, 2, 4
MAX_CONNECTIONS = (GENERAL + WAITING + SIGN_IN_THREADS) * WORKERS
CLIENTS, ROUNDS, USERS = 32, 6, 160
RESPONSE_SECONDS, CONNECT_SECONDS = 4, 4
# Each thread can meet one connection whose server does not respond, and one of them connects again.
REFUSAL_SECONDS = 2 * RESPONSE_SECONDS + CONNECT_SECONDS
HIT_SECONDS = 1.0
CREDENTIALS = {"username": "user-0", "password": PASSWORD}
METRICS = {"Authorization": "Bearer token-of-the-metrics"}
ITEMS = "/api/v1/plex/libraries/1/items?size=5"

SEED = f"""
import json
import django
django.setup()
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import call_command
from accounts import tokens
from accounts.models import User
call_command("migrate", verbosity=0)
password = make_password({PASSWORD!r})
users = User.objects.bulk_create(
    [User(username=f"user-{{number}}", password=password) for number in range({USERS})]
)
operator = User.objects.create_superuser("root", password={PASSWORD!r})
session = SessionStore()
session[SESSION_KEY] = str(operator.pk)
session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
session[HASH_SESSION_KEY] = operator.get_session_auth_hash()
session.save()
access = [str(tokens.RefreshToken.for_user(user).access_token) for user in users]
print(json.dumps([access, session.session_key]))
"""


@dataclass
class Site:
    """A service with two workers on PostgreSQL; each of its users is `taken` by one test."""

    service: Service
    server: PostgreSQL
    tokens: list[str]
    session: str

    def take(self, count: int) -> list[dict[str, str]]:
        """Return the headers of users that no worker has seen."""
        taken, self.tokens = self.tokens[:count], self.tokens[count:]
        return [{"Authorization": f"Bearer {token}"} for token in taken]


@pytest.fixture(scope="module")
def _site(
    _postgresql: PostgreSQL, house: House, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    bounds = f"?response_timeout={RESPONSE_SECONDS}&connect_timeout={CONNECT_SECONDS}"
    environment = {
        "DATABASE_URL": _postgresql.url + bounds,
        "GENERAL_THREADS": str(GENERAL),
        "WAITING_THREADS": str(WAITING),
        "PROXY_COUNT": "1",
        # Half of it is how long a request may wait for a thread.
        "PLEX_TIMEOUT": "60",
        "PLEX_TV_URL": house.environment["PLEX_URL"],
        "METRICS_TOKEN": METRICS["Authorization"].removeprefix("Bearer "),
        "METRICS_FOLDER": str(tmp_path_factory.mktemp("metrics")),
    }
    seeded = subprocess.run(
        [sys.executable, "-c", SEED],
        cwd=ROOT,
        env=house.environment | environment,
        check=True,
        stdout=subprocess.PIPE,
    )
    tokens, session = json.loads(seeded.stdout)
    # One of its own: the ids of users are those of other users elsewhere.
    valkey = Valkey(tmp_path_factory.mktemp("valkey"))
    service = None
    try:
        service = house.service(valkey, workers=WORKERS, **environment)
        yield Site(service, _postgresql, tokens, session)
    finally:
        if service:
            service.close()
        valkey.close()


@pytest.fixture
def site(_site: Site, plex: Simulator) -> Site:
    """The service on a healthy PostgreSQL, with a healthy Plex."""
    return _site


@dataclass
class Sampler:
    """Counts the service's connections again and again, in a thread."""

    server: PostgreSQL
    counts: list[int] = field(default_factory=list)

    @contextmanager
    def counting(self) -> Iterator[None]:
        over = threading.Event()
        with ThreadPoolExecutor(1) as pool:
            counting = pool.submit(self._count, over)
            try:
                yield
            finally:
                over.set()
                counting.result()

    def _count(self, over: threading.Event) -> None:
        with self.server.connect() as connection:
            while not over.wait(0.01):
                found = connection.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = %s", [DATABASE]
                ).fetchone()
                assert found
                self.counts.append(int(str(found[0])))


def visit(site: Site, number: int, headers: dict[str, str]) -> set[int]:
    """Send the requests of one client: it misses, signs in, opens admin pages or reads metrics."""
    url, turns = site.service.url, range(ROUNDS)
    with requests.Session() as client:
        client.trust_env = False
        client.headers["X-Forwarded-For"] = f"10.0.0.{number}"
        if number == CLIENTS - 1:
            # One Prometheus: to read metrics may take a thread until Plex has been checked.
            client.headers.update(METRICS)
            answers = [client.get(f"{url}/metrics") for _ in turns]
        elif number % 3 == 0:
            client.headers.update(headers)
            starts = [number * ROUNDS + turn + 1 for turn in turns]
            wanted = [f"{url}/api/v1/plex/libraries/1/items?size=1&start={each}" for each in starts]
            answers = [client.get(each) for each in wanted]
        elif number % 3 == 1:
            body = {"username": f"user-{number}", "password": PASSWORD}
            answers = [client.post(f"{url}/api/v1/auth/token", json=body) for _ in turns]
        else:
            client.cookies.set("sessionid", site.session)
            answers = [client.get(f"{url}/admin/accounts/user/?q={turn}") for turn in turns]
    return {answer.status_code for answer in answers}


def test_connections_are_bounded_by_the_threads_and_reused(site: Site, plex: Simulator) -> None:
    plex.fault("slow", delay=0.05)
    users, sampler = site.take(CLIENTS), Sampler(site.server)
    before = len(site.server.ended_sessions())
    with sampler.counting(), ThreadPoolExecutor(CLIENTS) as pool:
        statuses = set().union(*pool.map(visit, [site] * CLIENTS, range(CLIENTS), users))
    assert statuses == {200}
    assert 0 < max(sampler.counts) <= MAX_CONNECTIONS
    # `conn_max_age` ends a connection after a minute at the earliest. Only the thread that polls
    # PINs, one in each worker, closes its connection earlier: when no PIN is open.
    ended = site.server.ended_sessions()[before:]
    assert sum(seconds < 60 for seconds in ended) <= WORKERS


def test_a_user_links_a_plex_account_and_has_its_view(site: Site, plex: Simulator) -> None:
    (headers,) = site.take(1)
    api, friend = f"{site.service.url}/api/v1", plex.add_account("Nadia", libraries=["2"])
    pin = requests.post(f"{api}/auth/plex/pins", headers=headers, timeout=30).json()["data"]
    query = dict(parse_qsl(pin["authUrl"].partition("#?")[2]))
    form = {"code": pin["code"], "clientID": query["clientID"], "account": friend.uuid}
    assert requests.post(f"{plex.url}/auth", data=form, timeout=30).status_code == 200
    headers["X-Pin-Secret"] = pin["secret"]
    result = partial(requests.get, f"{api}/auth/plex/pins/{pin['id']}", headers=headers, timeout=30)
    until(lambda: result().json()["data"]["status"] == "complete", 20, "the account is linked")
    libraries = requests.get(f"{api}/plex/libraries", headers=headers, timeout=30).json()["data"]
    assert [each["id"] for each in libraries["libraries"]] == ["2"]
    show = plex.catalogue.items("2", "show")[0].rating_key
    watched = f"{api}/plex/items/{show}/watched"
    assert requests.put(watched, headers=headers, timeout=30).json()["data"]["changed"] is True
    removed = requests.delete(f"{api}/auth/plex", headers=headers, timeout=30)
    assert removed.json()["data"]["linked"] is False


def test_the_service_goes_on_after_postgresql_was_restarted(site: Site) -> None:
    connected = [(ITEMS, headers) for headers in site.take(8)]
    assert {answer.status for answer in at_once(site.service.url, connected)} == {200}
    with stopped(site.server):
        pass
    for headers in site.take(8):
        until(partial(can_read, site, headers), 10, "the service answers")


@contextmanager
def stopped(server: PostgreSQL) -> Iterator[None]:
    server.stop()
    try:
        yield
    finally:
        server.start()


def can_read(site: Site, headers: dict[str, str]) -> bool:
    return ask(site.service.url, ITEMS, headers).status == 200


def are_hits(url: str, wanted: Sequence[tuple[str, dict[str, str]]]) -> bool:
    answers = at_once(url, wanted)
    return all(answer.headers.get("x-plex-cache-status") == "HIT" for answer in answers)


@pytest.mark.parametrize("without", [PostgreSQL.frozen, stopped], ids=["frozen", "stopped"])
def test_hits_go_on_without_postgresql_and_others_get_503_in_time(
    site: Site, without: Callable[[PostgreSQL], AbstractContextManager[None]]
) -> None:
    url, (seen, *unseen) = site.service.url, site.take(17)
    hits = [(ITEMS, seen)] * 16
    misses = [(ITEMS, headers) for headers in unseen]
    until(partial(are_hits, url, hits), 10, "every worker knows the response")
    with without(site.server):
        watch = Stopwatch()
        answers = at_once(url, [*hits, *misses])
        answers += at_once(url, [("/api/v1/auth/token", {})] * 4, CREDENTIALS)
        metrics = ask(url, "/metrics", METRICS)
    assert b"medianest_database_up 0.0" in metrics.body
    assert b"medianest_plex_breaker_open 0.0" in metrics.body
    for answer in answers[: len(hits)]:
        assert (answer.status, answer.headers["x-plex-cache-status"]) == (200, "HIT")
        assert watch.allows(answer.seconds, HIT_SECONDS), (answer.seconds, watch)
    for answer in answers[len(hits) :]:
        body = answer.json()
        assert (answer.status, body["error"]["code"]) == (503, "SERVICE_UNAVAILABLE")
        assert watch.allows(answer.seconds, REFUSAL_SECONDS), (answer.seconds, watch)
    for headers in unseen:
        until(partial(can_read, site, headers), 10, "the service answers")


def test_a_database_that_is_not_migrated_is_503_and_the_log_says_what_to_do(
    site: Site, house: House, valkey: Valkey
) -> None:
    empty = site.server.url.replace(f"/{DATABASE}", "/postgres")
    service = house.service(valkey, workers=1, DATABASE_URL=empty)
    try:
        answers = [ask(service.url, "/api/v1/health"), ask(service.url, ITEMS)]
        answers += at_once(service.url, [("/api/v1/auth/token", {})], CREDENTIALS)
        log = service.log
    finally:
        service.close()
    assert [answer.status for answer in answers] == [503, 401, 503]
    assert log.count("manage.py migrate") == 1, log


def test_one_thread_at_a_time_connects_to_a_server_that_is_unavailable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = Availability()
    assert [seen.may_connect() for _ in range(3)] == [True] * 3
    seen.failed()
    assert not seen.may_connect()
    monkeypatch.setattr(availability, "RETRY_SECONDS", 0.0)
    seen.failed()
    assert [seen.may_connect() for _ in range(3)] == [True, False, False]
    seen.succeeded()
    assert [seen.may_connect() for _ in range(3)] == [True] * 3


def test_the_admins_first_page_names_the_server_its_size_and_its_clock(site: Site) -> None:
    page = requests.get(
        f"{site.service.url}/admin/", cookies={"sessionid": site.session}, timeout=20
    ).text
    text = " ".join(re.sub("<[^>]+>", " ", page).split())
    assert re.search(
        r"Database ✓ OK PostgreSQL \d+\.\d+.*?\. [\d.]+\s[MG]B\. Responded in [\d.]+ ms\.", text
    )
    assert "Clocks ✓ OK Redis: same time as this machine. The database: same time" in text
    assert "Migrations ✓ OK The database is up to date." in text


@pytest.mark.parametrize(
    ("waiting", "lines"),
    [
        ("24", ["✓ OK        Database: PostgreSQL"]),
        (
            "600",
            [
                "✓ OK        Database: PostgreSQL",
                "! Attention Database: PostgreSQL accepts 497 connections of this user, but 1 "
                "worker may need 614. Raise max_connections, or the limit of the user or "
                "database, or set fewer GENERAL_THREADS and WAITING_THREADS.",
            ],
        ),
    ],
)
def test_the_doctor_says_whether_postgresql_accepts_what_the_workers_need(
    site: Site, house: House, waiting: str, lines: list[str]
) -> None:
    threads = {"DATABASE_URL": site.server.url, "WAITING_THREADS": waiting, "GENERAL_THREADS": "8"}
    done = subprocess.run(
        [sys.executable, "manage.py", "doctor"],
        cwd=ROOT,
        env=house.environment | threads,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    found = [line for line in done.stdout.splitlines() if " Database: " in line]
    assert [line.startswith(each) for line, each in zip(found, lines, strict=True)], found
    assert found[1:] == lines[1:]
