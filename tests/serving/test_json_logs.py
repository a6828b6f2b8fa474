"""With LOG_FORMAT=json every line of every process is a JSON object, and every request has one."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from plex_simulator import Simulator
from tests.service import (
    ROOT,
    House,
    Person,
    Process,
    Service,
    UvicornService,
    Valkey,
    WsgiService,
    ask,
    at_once,
    until,
)

CONFIGURATION = f"--log-config {ROOT}/medianest/json_logs.json"
ITEMS = "/api/v1/plex/libraries/1/items?size=2"
LIVE = "/api/v1/health/live"
SECRET = "a-query-that-nobody-may-read"


class JsonService(Service):
    """Granian that logs as JSON."""

    options = f"{Service.options} {CONFIGURATION}"


class JsonUvicorn(UvicornService):
    """Uvicorn that logs as JSON."""

    options = f"{UvicornService.options} {CONFIGURATION}"


class JsonWsgi(WsgiService):
    """Granian with the WSGI application that logs as JSON."""

    options = f"{WsgiService.options} {CONFIGURATION}"


@pytest.fixture(scope="module", params=[JsonService, JsonUvicorn, JsonWsgi])
def _logging_service(
    request: Any, house: House, _valkey: Valkey, _simulator: Simulator
) -> Iterator[Service]:
    database = house.copied()
    service = house.service(
        _valkey, workers=1, kind=request.param, LOG_FORMAT="json", DATABASE_URL=database
    )
    yield service
    service.close()


@pytest.fixture
def logging_service(_logging_service: Service, valkey: Valkey, plex: Simulator) -> Service:
    """A worker that logs as JSON, behind each server."""
    return _logging_service


def lines(service: Service) -> list[dict[str, Any]]:
    """Return all lines of the log, each of which is an object with the same members."""
    parsed = [json.loads(line) for line in service.log.splitlines(keepends=True) if "\n" in line]
    for line in parsed:
        assert {"timestamp", "level", "logger", "message", "requestId"} <= line.keys()
        moment = datetime.fromisoformat(line["timestamp"])
        assert moment.utcoffset() is not None
        assert not moment.utcoffset()
    return parsed


def access(service: Service, request_id: str) -> dict[str, Any]:
    """Return the access line of a request without what every line has, when it is written."""

    def found() -> list[dict[str, Any]]:
        return [
            line
            for line in lines(service)
            if line["logger"] == "medianest.access" and line["requestId"] == request_id
        ]

    [line] = until(found, 10, f"the line of {request_id}")
    assert line["level"] == "INFO"
    assert line.pop("milliseconds") >= 0
    return {name: line[name] for name in ("userId", "endpoint", "method", "status", "cacheStatus")}


def sent(person: Person | None, request_id: str) -> dict[str, str]:
    return {"X-Request-ID": request_id} | (person.headers if person else {})


def expected(endpoint: str | None, status: int, **more: Any) -> dict[str, Any]:
    line = {"userId": None, "endpoint": endpoint, "method": "GET", "cacheStatus": None}
    return line | {"status": status} | more


def test_every_line_is_an_object_and_every_request_has_one(
    logging_service: Service, people: Sequence[Person]
) -> None:
    url, person = logging_service.url, people[0]
    user = str(person.id)
    for cache_status in ("MISS", "HIT"):
        ask(url, ITEMS, sent(person, cache_status))
        assert access(logging_service, cache_status) == expected(
            "plex-library-items", 200, userId=user, cacheStatus=cache_status
        )
    # Another user, whom the fast path refuses after the limit of 60.
    other = people[1]
    answers = at_once(url, [(ITEMS, sent(other, f"crowd-{number}")) for number in range(61)])
    refused = next(each for each in answers if each.status == 429)
    assert access(logging_service, refused.headers["x-request-id"]) == expected(
        "plex-library-items", 429, userId=str(other.id)
    )
    ask(url, LIVE, sent(None, "live"))
    assert access(logging_service, "live") == expected("health-live", 200)
    ask(url, ITEMS, sent(None, "nobody"))
    assert access(logging_service, "nobody") == expected("plex-library-items", 401)
    ask(url, "/nothing", sent(None, "nothing"))
    assert access(logging_service, "nothing") == expected(None, 404)
    # A path without a name.
    ask(url, "/", sent(None, "root"))
    assert access(logging_service, "root") == expected(None, 302)
    requests.post(f"{url}{LIVE}", headers=sent(None, "post"), timeout=20)
    assert access(logging_service, "post") == expected("health-live", 405, method="POST")


def test_a_line_has_no_token_no_signature_and_no_query(
    logging_service: Service, people: Sequence[Person], plex: Simulator
) -> None:
    url, person = logging_service.url, people[0]
    body = ask(url, f"{ITEMS}&unknown={SECRET}", person.headers).json()
    picture = urlsplit(body["data"]["items"][0]["thumbUrl"])
    answer = ask(url, f"{picture.path}?{picture.query}", sent(None, "picture"))
    assert answer.status == 200
    line = access(logging_service, "picture")
    assert (line["endpoint"], line["userId"]) == ("plex-item-image", None)
    ask(url, f"{ITEMS}&size={SECRET}", person.headers)
    ask(url, f"/nothing/{person.access}?q={SECRET}", sent(None, "unknown"))
    access(logging_service, "unknown")
    written = logging_service.log
    for secret in (person.access, SECRET, plex.owner_token, picture.query, "signature="):
        assert secret not in written
    assert '/nothing/[token]"' in written


def test_the_line_of_an_error_has_the_id_of_its_request(
    logging_service: Service, people: Sequence[Person], plex: Simulator
) -> None:
    plex.fault("status", path="/library/sections", status=500)
    ask(logging_service.url, ITEMS, sent(people[0], "failed"))
    assert access(logging_service, "failed")["status"] == 502
    errors = [line for line in lines(logging_service) if line["requestId"] == "failed"]
    assert any(line["message"].startswith("PLEX_API_ERROR for") for line in errors)


# Under WSGI the server reads the body, and answers all the same.
@pytest.mark.parametrize("_logging_service", [JsonService, JsonUvicorn], indirect=True)
def test_a_client_that_leaves_before_its_body_has_a_line_without_a_status(
    logging_service: Service,
) -> None:
    where = urlsplit(logging_service.url)
    head = "POST /api/v1/auth/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n"
    with socket.create_connection((where.hostname, where.port)) as client:
        client.sendall(head.encode())
    line = until(lambda: unanswered(logging_service), 20, "its line")[0]
    assert (line["method"], line["requestId"]) == ("POST", None)


def unanswered(service: Service) -> list[dict[str, Any]]:
    return [line for line in lines(service) if line.get("status", 0) is None]


def test_the_listener_logs_json_as_well(house: House, valkey: Valkey, tmp_path: Path) -> None:
    environment = house.environment | {"REDIS_URL": valkey.url, "LOG_FORMAT": "json"}
    log = tmp_path / "listener.log"
    listener = Process([sys.executable, "manage.py", "plex_listen"], log, environment)
    try:
        until(lambda: "\n" in log.read_text(), 60, "the listener logs")
        first = json.loads(log.read_text().splitlines()[0])
        assert first["logger"].startswith("plex_integration.")
    finally:
        listener.kill()


def test_an_unknown_format_stops_the_start(house: House) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env=house.environment | {"LOG_FORMAT": "xml"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode
    assert "LOG_FORMAT must be text or json" in done.stderr
