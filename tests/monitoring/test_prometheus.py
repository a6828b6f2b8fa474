"""`/metrics` of two workers, read by a real Prometheus, with its alerts and its dashboard."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from prometheus_client.parser import text_string_to_metric_families

from plex_simulator import Simulator
from tests.invalidation.conftest import Listening
from tests.service import (
    HOST,
    ROOT,
    Answer,
    House,
    Person,
    Process,
    Service,
    Valkey,
    WsgiService,
    ask,
    at_once,
    free_port,
    until,
)

TOKEN = "token-of-the-metrics"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
COLLECTIONS = "/api/v1/plex/libraries/1/collections"
ITEMS = "/api/v1/plex/libraries/1/items?size=2"
REQUESTS = "medianest_http_request_duration_seconds"
PLEX = "medianest_plex_request_duration_seconds"
ALERTS = ROOT / "docs/monitoring/alerts.yml"
ALERT_TESTS = Path(__file__).parent / "alert_tests.yml"
DASHBOARD = ROOT / "docs/monitoring/dashboard.json"
# What the real program reads; docs/monitoring.md has the same, but for the interval and the place.
CONFIGURATION = """
global:
  scrape_interval: 500ms
  scrape_timeout: 500ms
scrape_configs:
  - job_name: medianest
    authorization:
      credentials: {token}
    static_configs:
      - targets: ["{target}"]
"""

with_prometheus = pytest.mark.skipif(
    os.environ.get("PROMETHEUS_TESTS") != "required" and not shutil.which("promtool"),
    reason="Prometheus is not installed",
)


@pytest.fixture(scope="module")
def own_valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    """One of its own, which a test may stop."""
    valkey = Valkey(tmp_path_factory.mktemp("valkey"))
    yield valkey
    valkey.close()


@pytest.fixture(scope="module")
def _counting_service(
    house: House,
    own_valkey: Valkey,
    _simulator: Simulator,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Service]:
    environment = {
        "METRICS_TOKEN": TOKEN,
        "METRICS_FOLDER": str(tmp_path_factory.mktemp("metrics") / "new"),
        "DATABASE_URL": house.copied(),
    }
    service = house.service(own_valkey, workers=2, **environment)
    yield service
    service.close()


@pytest.fixture
def counting_service(_counting_service: Service, own_valkey: Valkey, plex: Simulator) -> Service:
    """Two workers that count, with an empty Redis and a healthy Plex."""
    own_valkey.client.flushall()
    own_valkey.client.script_flush()
    return _counting_service


class Scraped:
    """The samples of one response."""

    def __init__(self, answer: Answer) -> None:
        assert answer.status == 200
        families = text_string_to_metric_families(answer.body.decode())
        self._samples = [sample for family in families for sample in family.samples]

    def sum(self, name: str, **labels: str) -> float | None:
        """Return the sum of the samples with these labels; None if there is none."""
        found = [
            sample.value
            for sample in self._samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]
        return sum(found) if found else None

    def labels(self) -> set[str]:
        return {value for sample in self._samples for value in sample.labels.values()}


def scrape(service: Service) -> Scraped:
    return Scraped(ask(service.url, "/metrics", BEARER))


def count(service: Service, name: str = f"{REQUESTS}_count", **labels: str) -> float:
    return scrape(service).sum(name, **labels) or 0


def test_requests_of_all_workers_are_counted_together(
    counting_service: Service, people: Sequence[Person]
) -> None:
    # No other test reads collections, so nothing is counted late from before.
    labels = {"endpoint": "plex-collections", "method": "GET", "status": "200"}
    hits, misses = labels | {"cache_status": "HIT"}, labels | {"cache_status": "MISS"}
    wanted = [(COLLECTIONS, people[0].headers)]
    before = scrape(counting_service).sum(f"{REQUESTS}_count", **labels)
    answers = at_once(counting_service.url, wanted)
    answers += at_once(counting_service.url, wanted * 30)
    statuses = Counter(answer.headers["x-plex-cache-status"] for answer in answers)
    assert (before, set(statuses)) == (None, {"MISS", "HIT"})
    # A worker counts when it has given the last byte to its server, which may be after it arrived.
    until(lambda: count(counting_service, **labels) == len(answers), 10, "all requests are counted")
    after = scrape(counting_service)
    assert after.sum(f"{REQUESTS}_count", **misses) == statuses["MISS"]
    assert after.sum(f"{REQUESTS}_bucket", **hits, le="+Inf") == statuses["HIT"]
    assert 0 < (after.sum(f"{REQUESTS}_sum", **hits) or 0) < 600
    assert (after.sum(f"{PLEX}_count", server="plex", status="200") or 0) > 0
    assert after.sum("medianest_cache_entries_complete") == 1


def is_hit(answer: Answer) -> bool:
    return answer.headers.get("x-plex-cache-status") == "HIT"


def test_only_who_has_the_token_can_read_them(
    counting_service: Service, people: Sequence[Person]
) -> None:
    url = counting_service.url
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}):
        refused = ask(url, "/metrics", headers)
        assert (refused.status, refused.headers["www-authenticate"]) == (401, 'Bearer realm="api"')
    assert ask(url, "/metrics", people[0].headers).status == 401
    (posted,) = at_once(url, [("/metrics", BEARER)], {}, "POST")
    assert (posted.status, posted.headers["allow"]) == (405, "GET, HEAD")
    assert ask(url, "/metrics/", BEARER).status == 404


@pytest.mark.parametrize(
    "accept",
    [
        "application/openmetrics-text;version=x",
        "text/plain;version=1.0.0;escaping",
        ";;q=,=;version=;escaping=;",
    ],
)
def test_whatever_is_accepted_gets_the_text_format(counting_service: Service, accept: str) -> None:
    answer = ask(counting_service.url, "/metrics", BEARER | {"Accept": accept})
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert Scraped(answer).sum("medianest_build_info", version="1.0.0") == 1


def test_without_a_token_in_the_settings_there_is_no_such_path(server: Any) -> None:
    answers = [ask(server.url, path, BEARER) for path in ("/metrics", "/nothing")]
    assert [answer.status for answer in answers] == [404, 404]
    assert len({answer.json()["error"]["message"] for answer in answers}) == 1


def test_nothing_that_counts_is_loaded_without_a_token(house: House) -> None:
    script = "import medianest.asgi, medianest.urls, sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=house.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "medianest.urls" in done.stdout
    assert not re.findall(r"prometheus\S*|\S*counted_transport|\S*request_metrics", done.stdout)


def test_no_label_has_what_a_client_sent(
    counting_service: Service, people: Sequence[Person]
) -> None:
    url, headers = counting_service.url, people[0].headers
    ask(url, "/api/v1/plex/secret-path", headers)
    ask(url, "/api/v1/plex/libraries/secret-library/items?search=secret-query", headers)
    ask(url, ITEMS, headers | {"X-Request-ID": "secret-id"})
    at_once(url, [(ITEMS, headers)], {}, "SECRETMETHOD")
    until(lambda: count(counting_service, method="OTHER"), 10, "all requests are counted")
    assert not [each for each in scrape(counting_service).labels() if "secret" in each.lower()]


def test_refusals_are_counted_by_their_limit(
    counting_service: Service, people: Sequence[Person]
) -> None:
    name, labels = "medianest_rate_limit_refusals_total", {"endpoint": "plex-search"}
    wanted = [("/api/v1/plex/search?query=moon", people[1].headers)] * 40
    refused = [each for each in at_once(counting_service.url, wanted) if each.status == 429]
    assert refused
    limit = re.findall('^"(.+?)"', refused[0].headers["ratelimit"])[0]
    until(
        lambda: count(counting_service, name, **labels, limit=limit) == len(refused),
        10,
        "all refusals are counted",
    )
    wrong = {"username": "nobody", "password": "wrong"}
    at_once(counting_service.url, [("/api/v1/auth/token", {})] * 12, wrong)
    until(lambda: count(counting_service, name, limit="other"), 10, "failed sign-ins are limited")


def test_a_failing_plex_shows_in_its_requests_and_the_breaker(
    counting_service: Service, plex: Simulator, people: Sequence[Person]
) -> None:
    # While the first check takes long, the series is missing.
    until(lambda: scrape(counting_service).sum("medianest_plex_up") == 1, 20, "Plex is checked")
    # The list of libraries is loaded once for all: its failure would count only once.
    ask(counting_service.url, ITEMS, people[2].headers)
    plex.fault("status", status=503)
    pages = [(f"{ITEMS}&start={number}", people[2].headers) for number in range(1, 9)]
    assert {answer.status for answer in at_once(counting_service.url, pages)} == {503}
    until(
        lambda: count(counting_service, "medianest_plex_breaker_open") == 1,
        10,
        "the breaker is open",
    )
    until(lambda: scrape(counting_service).sum("medianest_plex_up") == 0, 20, "Plex is checked")
    assert count(counting_service, f"{PLEX}_count", server="plex", status="503") >= 5
    plex.fault("refused", seconds=None)
    until(lambda: count(counting_service, f"{PLEX}_count", error="ConnectionError"), 20, "errors")


def test_a_worker_that_is_killed_takes_no_count_with_it(
    counting_service: Service, people: Sequence[Person]
) -> None:
    url, headers = counting_service.url, people[3].headers
    until(lambda: count(counting_service, "medianest_worker_threads") == 68, 20, "both count")
    at_once(url, [(ITEMS, headers)] * 20)
    until(lambda: is_hit(ask(url, ITEMS, headers)), 10, "the response is cached")
    before = count(counting_service)
    started = "Started worker-"
    number = counting_service.log.count(started)
    os.kill(counting_service.workers()[0], signal.SIGKILL)
    until(lambda: counting_service.log.count(started) > number, 60, "another worker has started")
    until(lambda: count(counting_service, "medianest_worker_threads") == 68, 20, "both count")
    assert count(counting_service) > before


def test_the_rest_can_be_read_while_redis_is_unavailable(
    counting_service: Service, own_valkey: Valkey
) -> None:
    assert scrape(counting_service).sum("medianest_redis_up", redis="default") == 1
    own_valkey.kill()
    try:
        without = scrape(counting_service)
    finally:
        own_valkey.start()
    assert without.sum("medianest_redis_up", redis="default") == 0
    assert without.sum("medianest_database_up") == without.sum("medianest_metrics_folder_up") == 1
    assert (without.sum(f"{REQUESTS}_count") or 0) > 0
    assert without.sum("medianest_plex_breaker_open") is not None
    for unknown in ("cache_entries", "listener_up", "processes", "redis_memory_bytes"):
        assert without.sum(f"medianest_{unknown}") is None
    until(
        lambda: scrape(counting_service).sum("medianest_redis_up", redis="default") == 1,
        20,
        "Redis is used again",
    )


def test_requests_of_the_listener_to_plex_are_counted(
    house: House, own_valkey: Valkey, plex: Simulator, tmp_path: Path
) -> None:
    settings = {"METRICS_TOKEN": TOKEN, "METRICS_FOLDER": str(tmp_path / "metrics")}
    settings |= {"REDIS_URL": own_valkey.url, "DATABASE_URL": house.copied()}
    service = house.service(own_valkey, workers=1, **settings)
    listener = Listening(tmp_path, house.environment | settings)
    labels = {"server": "plex", "method": "GET", "endpoint": "/:/eventsource/notifications"}
    try:
        until(lambda: count(service, f"{PLEX}_count", **labels, status="200"), 60, "it is counted")
        plex.fault("refused", seconds=None)
        plex.drop_listeners()
        failed = {**labels, "error": "ConnectionError"}
        until(lambda: count(service, f"{PLEX}_count", **failed), 30, "its failure is counted")
        number = count(service, f"{PLEX}_count", **failed)
        listener.kill()
        assert count(service, f"{PLEX}_count", **failed) >= number
    finally:
        listener.kill()
        service.close()


def test_the_wsgi_application_counts_as_well(
    house: House, own_valkey: Valkey, plex: Simulator, tmp_path: Path
) -> None:
    environment = {"METRICS_TOKEN": TOKEN, "METRICS_FOLDER": str(tmp_path)}
    service = house.service(own_valkey, workers=1, kind=WsgiService, **environment)
    headers = house.people[4].headers
    try:
        until(lambda: is_hit(ask(service.url, ITEMS, headers)), 10, "the response is cached")
        until(lambda: count(service, cache_status="HIT"), 10, "it is counted")
        assert count(service, f"{PLEX}_count", server="plex") > 0
    finally:
        service.close()


class Prometheus:
    """The real program, which reads one service."""

    def __init__(self, folder: Path, target: str) -> None:
        self.url = f"http://{HOST}:{free_port()}"
        (folder / "prometheus.yml").write_text(CONFIGURATION.format(token=TOKEN, target=target))
        program = shutil.which("prometheus")
        assert program, "install prometheus"
        options = ["--config.file=prometheus.yml", "--storage.tsdb.path=data", "--log.level=warn"]
        argv = [program, *options, f"--web.listen-address={self.url.removeprefix('http://')}"]
        started = ["sh", "-c", 'cd "$0" && exec "$@"', str(folder), *argv]
        self._process = Process(started, folder / "log", {"PATH": os.environ["PATH"]})

    def query(self, expression: str) -> list[Any]:
        """Return what an expression yields now; nothing while it does not answer."""
        try:
            answer = requests.get(
                f"{self.url}/api/v1/query", params={"query": expression}, timeout=30
            )
        except requests.ConnectionError:
            return []
        if answer.status_code == 503:  # it is starting
            return []
        assert answer.status_code == 200, answer.text
        found: list[Any] = answer.json()["data"]["result"]
        return found

    def close(self) -> None:
        self._process.kill()


def expressions() -> dict[str, str]:
    """Return the expressions of the alerts and of the dashboard, by their names."""
    (group,) = yaml.safe_load(ALERTS.read_text())["groups"]
    found = {rule["alert"]: rule["expr"] for rule in group["rules"]}
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel["targets"]:
            key = f"{panel['title']} {target['refId']}"
            found[key] = target["expr"].replace("$__rate_interval", "5m")
    return found


def series_of(expression: str) -> set[str]:
    return set(re.findall(r"medianest_[a-z_]+", expression))


@with_prometheus
def test_prometheus_reads_every_series_of_the_alerts_and_the_dashboard(
    counting_service: Service, people: Sequence[Person], tmp_path: Path
) -> None:
    headers = people[5].headers
    at_once(counting_service.url, [(ITEMS, headers)] * 5)
    at_once(counting_service.url, [("/api/v1/plex/server", people[6].headers)] * 130)
    prometheus = Prometheus(tmp_path, counting_service.url.removeprefix("http://"))
    wanted = {name for each in expressions().values() for name in series_of(each)}
    try:
        up = 'up{job="medianest"} == 1'
        until(lambda: prometheus.query(up), 30, "Prometheus has read the service")
        for name in sorted(wanted):
            until(lambda name=name: prometheus.query(name), 20, f"{name} has a sample")
        for each in expressions().values():
            prometheus.query(each)
        served = 'medianest_http_request_duration_seconds_count{endpoint="plex-library-items"}'
        assert prometheus.query(served)
    finally:
        prometheus.close()
    assert len(wanted) > 15


@with_prometheus
def test_every_alert_fires_when_it_should_and_not_otherwise() -> None:
    for command in (("check", "rules", ALERTS), ("test", "rules", ALERT_TESTS)):
        done = subprocess.run(["promtool", *command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    (group,) = yaml.safe_load(ALERTS.read_text())["groups"]
    tested, _ = yaml.safe_load(ALERT_TESTS.read_text())["tests"]
    assert {each["alert"] for each in group["rules"]} == {
        each["alertname"] for each in tested["alert_rule_test"] if each["exp_alerts"]
    }


def test_the_documentation_has_a_row_for_every_series_and_every_alert() -> None:
    page = (ROOT / "docs/monitoring.md").read_text()
    listed = set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))
    (group,) = yaml.safe_load(ALERTS.read_text())["groups"]
    assert {each["alert"] for each in group["rules"]} <= listed
    used = {name for each in expressions().values() for name in series_of(each)}
    assert {re.sub("_(bucket|count|sum)$", "", name) for name in used} <= listed


@pytest.mark.parametrize("token", ["too-short", "not one line of letters", "sixteen-letters-ä"])
def test_a_token_that_cannot_be_sent_or_is_short_stops_the_start(house: House, token: str) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env=house.environment | {"METRICS_TOKEN": token},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "METRICS_TOKEN must be at least 16 random ASCII characters" in done.stderr
    assert token not in done.stderr
