"""The service behind a proxy with TLS, with the settings that docs/deployment.md names."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from django.test import RequestFactory

from medianest.serving.request_head import RequestHead
from plex_simulator import Simulator
from tests.service import ROOT, Answer, House, Person, Service, Valkey, WsgiService, ask

from .exchange import scope_of

PAGE = (ROOT / "docs" / "deployment.md").read_text()
HSTS = "max-age=31536000; includeSubDomains; preload"
SECURE = {"X-Forwarded-Proto": "https"}
HOST = "media.example.com"
ITEMS = "/api/v1/plex/libraries/1/items?size=2"
OWN = (
    "content-length",  # the body says whether it was cached
    "date",
    "cache-status",
    "ratelimit",
    "server-timing",
    "x-plex-cache-status",
    "x-plex-response-time",
    "x-ratelimit-remaining",
    "x-request-id",
)


def documented() -> dict[str, str]:
    """Return the settings of the page's table for a proxy."""
    section = PAGE.partition("## Behind a proxy")[2].partition("\n## ")[0]
    found = dict(re.findall(r"^\| `([A-Z_]+)` \| `([^`]*)`", section, re.MULTILINE))
    assert {"HSTS_SECONDS", "SSL_REDIRECT", "SECURE_COOKIES", "ALLOWED_HOSTS"} <= found.keys()
    return found


def test_djangos_check_of_a_deployment_has_no_warning() -> None:
    key = {"SECRET_KEY": "jZ5kqW8vXn2Rt7Lc0Bd4Hf9Gs1Pm3Ua6Ye-Io_VxQwTzNbKj5hM8rDg2FsA7lCp4"}
    checked = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **key, **documented()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr


@pytest.fixture(scope="module", params=[Service, WsgiService], ids=["ASGI", "WSGI"])
def _proxied(
    request: pytest.FixtureRequest, house: House, _valkey: Valkey, _simulator: Simulator
) -> Iterator[Service]:
    settings = documented()
    settings["ALLOWED_HOSTS"] += ",127.0.0.1"
    service = house.service(
        _valkey, workers=1, kind=request.param, DATABASE_URL=house.copied(), **settings
    )
    yield service
    service.close()


@pytest.fixture
def proxied(_proxied: Service, valkey: Valkey, plex: Simulator) -> Service:
    return _proxied


def send(service: Service, path: str, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return ask(service.url, path, {"Host": HOST, **named})


def test_plain_http_is_redirected_and_https_says_so_for_a_year(proxied: Service) -> None:
    for path in ("/admin/login/", "/api/v1/docs", ITEMS):
        plain = send(proxied, path)
        assert plain.status == 301
        assert plain.headers["location"] == f"https://{HOST}{path}"
        assert "strict-transport-security" not in plain.headers
        secure = send(proxied, path, **SECURE)
        assert secure.status in (200, 401)
        assert secure.headers["strict-transport-security"] == HSTS


def test_health_checks_inside_the_network_are_not_redirected(proxied: Service) -> None:
    for path in ("/api/v1/health", "/api/v1/health/live"):
        assert send(proxied, path).status == 200
        assert send(proxied, path, **SECURE).headers["strict-transport-security"] == HSTS


def test_a_hit_has_the_headers_of_a_miss(proxied: Service, people: Sequence[Person]) -> None:
    headers = people[0].headers | SECURE
    miss = send(proxied, ITEMS, **headers)
    assert (miss.status, miss.headers["x-plex-cache-status"]) == (200, "MISS")
    hit = send(proxied, ITEMS, **headers)
    assert hit.headers["x-plex-cache-status"] == "HIT"
    assert shared_headers(hit) == shared_headers(miss)
    plain = send(proxied, ITEMS, **people[0].headers)
    assert plain.status == 301


def shared_headers(answer: Answer) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in OWN}


@pytest.mark.parametrize(
    ("trusted", "forwarded", "scheme"),
    [
        (None, "https", "http"),
        (("HTTP_X_FORWARDED_PROTO", "https"), "https", "https"),
        (("HTTP_X_FORWARDED_PROTO", "https"), "https, http", "https"),
        (("HTTP_X_FORWARDED_PROTO", "https"), "http", "http"),
        (("HTTP_X_FORWARDED_PROTO", "https"), "HTTPS", "http"),
    ],
)
def test_the_fast_path_reads_the_scheme_as_django_does(
    settings: Any, trusted: tuple[str, str] | None, forwarded: str, scheme: str
) -> None:
    settings.SECURE_PROXY_SSL_HEADER = trusted
    scope = scope_of(ITEMS, x_forwarded_proto=forwarded)
    head = RequestHead.of_scope(scope)
    request = RequestFactory().get(ITEMS, headers={"X-Forwarded-Proto": forwarded})
    wsgi_head = RequestHead.of_environ(request.META)
    assert head
    assert wsgi_head
    assert head.scheme == wsgi_head.scheme == request.scheme == scheme
