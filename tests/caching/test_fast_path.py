"""A hit is the same whether the fast path gives it or the full path, by ASGI and by WSGI.

Each request is sent four times: to Granian with the ASGI application, and to the WSGI application;
to each while the fast path knows the request, and while it does not. Status, body and all headers
are the same but for the moment.
"""

import gzip
import http.client
import io
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import OperationalError

from accounts import tokens
from accounts.models import User
from medianest import store, wsgi
from medianest.store import EVERYTHING
from plex_integration.caching import fast_path, known_requests
from plex_integration.configuration import runtime
from plex_integration.policies import LIBRARY_OPERATIONS
from plex_simulator import Simulator
from tests.server import Server

PATH = "/api/v1/plex/libraries/1/items?size=2&details=summary"
ORIGIN = "https://client.example"


@dataclass(frozen=True)
class Case:
    """A request, and whether the fast path answers it; None: by WSGI only, which joins headers."""

    headers: Sequence[tuple[str, str]] = ()
    method: str = "GET"
    path: str = PATH
    is_fast: bool | None = True
    status: int = 200
    body: bytes = b""


CASES = {
    "plain": Case(),
    "gzip": Case([("Accept-Encoding", "gzip")]),
    "gzip as most clients send it": Case([("Accept-Encoding", "gzip, deflate, br")]),
    "no gzip": Case([("Accept-Encoding", "gzip;q=0")]),
    "axios": Case([("Accept", "application/json, text/plain, */*")]),
    "problem details": Case([("Accept", "application/json, application/problem+json")]),
    "problem details alone": Case([("Accept", "application/problem+json")]),
    "a method that the path has not, as problem details": Case(
        [("Accept", "application/problem+json")], method="DELETE", is_fast=False, status=405
    ),
    "a browser's fetch": Case([("Accept", "*/*"), ("Origin", ORIGIN)]),
    "a foreign origin": Case([("Origin", "https://elsewhere.example")]),
    "own request id": Case([("X-Request-ID", "mine-1")]),
    "malformed request id": Case([("X-Request-ID", "not an id")]),
    "a repeated header": Case(
        [("X-Request-ID", "mine-1"), ("X-Request-ID", "mine-2")], is_fast=None
    ),
    "any validator": Case([("If-None-Match", "*")], status=304),
    "another validator": Case([("If-None-Match", '"another"')]),
    "HEAD": Case(method="HEAD", is_fast=False),
    "a page": Case([("Accept", "text/html")], is_fast=False),
    "nothing acceptable": Case([("Accept", "image/png")], is_fast=False, status=406),
    "a body": Case([("Content-Length", "2")], is_fast=False, body=b"{}"),
    "renewed": Case([("Cache-Control", "no-cache")], is_fast=False),
    "bearer in lower case": Case([("Authorization", "bearer {token}")], is_fast=False),
    "no token": Case([("Authorization", "")], is_fast=False, status=401),
    "a bad token": Case([("Authorization", "Bearer bad")], is_fast=False, status=401),
    "a foreign host": Case([("Host", "elsewhere.example")], is_fast=False, status=400),
    "a method that the path has not": Case(method="DELETE", is_fast=False, status=405),
    "a repeated parameter": Case(path=f"{PATH}&size=3", is_fast=False, status=400),
    "an unknown parameter": Case(path=f"{PATH}&unknown=1"),
    "sparse items": Case(path=f"{PATH}&fields=title,year"),
    "sparse items, with gzip": Case(
        [("Accept-Encoding", "gzip")], path=f"{PATH}&fields=title&page=2"
    ),
    "any validator of sparse items": Case(
        [("If-None-Match", "*")], path=f"{PATH}&fields=title", status=304
    ),
    "an unknown member": Case(path=f"{PATH}&fields=foo", is_fast=False, status=400),
    "unknown parameters, with gzip": Case(
        [("Accept-Encoding", "gzip")], path=f"{PATH}&page=2&%D8%B3=1&page=3"
    ),
}


@dataclass(frozen=True)
class Response:
    """What came back; names of headers are lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        packed = self.headers.get("content-encoding") == "gzip"
        return json.loads(gzip.decompress(self.body) if packed else self.body)


Send = Callable[[Case, str], Response]


@pytest.fixture(params=["ASGI", "WSGI"])
def send(request: Any, server: Server) -> Send:
    """Send a request with a token."""
    if request.param == "WSGI":
        return _send_by_wsgi

    def send(case: Case, token: str) -> Response:
        return _send_to(server.url, case, token)

    return send


def _fields(case: Case, token: str) -> list[tuple[str, str]]:
    """Return the headers of a request: a case's own in place of the usual ones; no empty ones."""
    own = {name for name, _ in case.headers}
    usual = [("Host", "localhost"), ("Authorization", f"Bearer {token}")]
    fields = [field for field in usual if field[0] not in own] + list(case.headers)
    return [(name, value.format(token=token)) for name, value in fields if value]


def _send_to(url: str, case: Case, token: str) -> Response:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    connection.putrequest(case.method, case.path, skip_host=True, skip_accept_encoding=True)
    for name, value in _fields(case, token):
        connection.putheader(name, value)
    connection.endheaders(case.body)
    answer = connection.getresponse()
    headers = {name.lower(): value for name, value in answer.getheaders()}
    for name in ("date", "server"):
        del headers[name]
    response = Response(answer.status, headers, answer.read())
    connection.close()
    return response


def _send_by_wsgi(case: Case, token: str) -> Response:
    path, _, query = case.path.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": case.method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(case.body),
        "wsgi.errors": io.StringIO(),
    }
    for name, value in _fields(case, token):
        key = name.upper().replace("-", "_")
        key = key if key == "CONTENT_LENGTH" else f"HTTP_{key}"
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    started: list[Any] = []
    pieces = wsgi.application(environ, lambda *given: started.append(given))
    body = b"".join(pieces)
    if close := getattr(pieces, "close", None):
        close()
    [(status, headers)] = started
    # A server sends no body in response to HEAD.
    body = b"" if case.method == "HEAD" else body
    return Response(int(status[:3]), {name.lower(): value for name, value in headers}, body)


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Record each response that the fast path gives."""
    given: list[str] = []
    for name in ("_response", "_refusal"):
        monkeypatch.setattr(fast_path, name, _recorded(given, getattr(fast_path, name)))
    return given


def _recorded(given: list[str], function: Callable[..., Any]) -> Callable[..., Any]:
    def record(*arguments: Any) -> Any:
        given.append(function.__name__)
        return function(*arguments)

    return record


@pytest.fixture
def newcomer(transactional_db: None) -> Callable[[], str]:
    """Make another user, who has sent nothing yet; return their token."""

    def make() -> str:
        user = User.objects.create(username=f"user-{User.objects.count()}", password="!")
        return tokens.issue(user).access

    return make


@pytest.fixture(params=["one process", "Redis"])
def cached(
    request: Any, plex: Simulator, settings: Any, newcomer: Callable[[], str], send: Send
) -> None:
    """Every case's response is cached, on either kind of store."""
    settings.CORS_ALLOWED_ORIGINS = [ORIGIN]
    if request.param == "Redis":
        request.getfixturevalue("shared")
    for case in CASES.values():
        send(Case(path=case.path), newcomer())


def forget(case: Case = Case()) -> None:
    """Forget what a request means, in this process and in the store."""
    known_requests.forget()
    path, _, query = case.path.partition("?")
    scope = runtime.required_connection().scope.name
    store.current().values.delete(known_requests.key((scope, path, query)))


# What differs between two equal requests: the moment, and the part of the id that is unique.
_MOMENT = re.compile(rb'"timestamp":"[^"]*"')
_UNIQUE = re.compile(r"[0-9a-f]{32}")
_SECONDS = re.compile(r"\b(t|ttl)=-?\d+")
_CLOCK = re.compile(rb'"(cacheAge|retryAfter)":\d+')


def timeless(response: Response) -> tuple[int, bytes, dict[str, str]]:
    """Return everything of a response but the moment and what is unique."""
    headers = {name: _UNIQUE.sub("unique", value) for name, value in response.headers.items()}
    for name in ("x-plex-response-time", "x-ratelimit-reset", "retry-after", "server-timing"):
        headers.pop(name, None)
    for name in ("cache-status", "ratelimit"):
        if name in headers:
            headers[name] = _SECONDS.sub(r"\1", headers[name])
    body = response.body
    if headers.get("content-encoding") == "gzip":
        body = gzip.decompress(body)
    if headers.get("content-type", "").startswith("text/html"):
        # A page shows the headers, the moment among them, and its cookie is random.
        body = b""
        headers.pop("content-length", None)
        headers.pop("set-cookie", None)
    age = headers.pop("x-plex-cache-age", "")
    if "age" in headers:
        assert int(headers.pop("age")) == int(age) < 60
    body, changes = _CLOCK.subn(b"", _MOMENT.sub(b"", body))
    if changes:
        headers.pop("content-length", None)  # the seconds may have one digit or two
    return response.status, _UNIQUE.sub("unique", body.decode()).encode(), headers


@pytest.mark.parametrize("name", CASES)
def test_both_paths_give_the_same_response(
    cached: None, send: Send, name: str, answered: list[str], newcomer: Callable[[], str]
) -> None:
    case = CASES[name]
    fast = send(case, newcomer())
    if case.is_fast is not None:
        assert answered == (["_response"] if case.is_fast else [])
    answered.clear()
    forget(case)
    full = send(case, newcomer())
    assert answered == []
    assert fast.status == case.status
    assert timeless(fast) == timeless(full)


@pytest.mark.parametrize("name", CASES)
def test_asgi_and_wsgi_give_the_same_response(
    plex: Simulator, settings: Any, server: Server, newcomer: Callable[[], str], name: str
) -> None:
    settings.CORS_ALLOWED_ORIGINS = [ORIGIN]
    case = CASES[name]
    for _ in range(2):  # a miss, a hit
        _send_by_wsgi(Case(path=case.path), newcomer())
    by_asgi = timeless(_send_to(server.url, case, newcomer()))
    by_wsgi = timeless(_send_by_wsgi(case, newcomer()))
    # A server adds the length of what Django sends without one.
    by_wsgi[2].setdefault("content-length", by_asgi[2].get("content-length", ""))
    by_asgi[2].setdefault("content-length", "")
    assert by_asgi == by_wsgi


def test_a_body_that_is_sent_compressed_is_the_same_to_the_byte(
    cached: None, send: Send, newcomer: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("medianest.api.renderers.iso_instant", lambda _: "2026-01-01T00:00:00.000Z")
    monkeypatch.setattr("plex_integration.caching.response_cache._age", lambda _: 7)
    case = Case([("Accept-Encoding", "gzip"), ("X-Request-ID", "mine-1")])
    fast = send(case, newcomer())
    forget()
    full = send(case, newcomer())
    assert fast.body == full.body
    assert fast.headers["content-length"] == full.headers["content-length"]


@pytest.mark.parametrize("path", [PATH, f"{PATH}&unknown=1"])
@pytest.mark.parametrize("media_type", ["application/json", "application/problem+json"])
def test_a_request_beyond_the_limit_gets_the_same_refusal(
    cached: None,
    send: Send,
    newcomer: Callable[[], str],
    answered: list[str],
    media_type: str,
    path: str,
) -> None:
    token, other = newcomer(), newcomer()
    case = Case([("Accept", media_type)], path=path)
    for each in (token, other):
        for _ in range(LIBRARY_OPERATIONS.requests):
            assert send(case, each).status == 200
    answered.clear()
    fast = send(case, token)
    assert answered == ["_refusal"]
    forget(case)
    full = send(case, other)
    assert answered == ["_refusal"]
    assert fast.status == full.status == 429
    assert fast.headers["content-type"] == full.headers["content-type"] == media_type
    assert abs(int(fast.headers["retry-after"]) - int(full.headers["retry-after"])) <= 10
    assert timeless(fast) == timeless(full)


@pytest.mark.parametrize(
    "change",
    [
        lambda user: User.objects.filter(pk=user.pk).update(is_active=False),
        lambda user: user.revoke_tokens(),
        lambda user: user.delete(),
    ],
    ids=["deactivated", "tokens revoked", "deleted"],
)
def test_a_user_who_is_refused_gets_no_hit(
    cached: None, send: Send, newcomer: Callable[[], str], answered: list[str], change: Any
) -> None:
    token = newcomer()
    assert send(Case(), token).status == 200
    change(User.objects.latest("pk"))
    answered.clear()
    refused = send(Case(), token)
    assert (refused.status, refused.json()["error"]["code"]) == (401, "UNAUTHORIZED")
    assert answered == []


def test_an_invalidated_response_is_loaded_again(
    cached: None, send: Send, newcomer: Callable[[], str], answered: list[str]
) -> None:
    assert store.current().values.invalidate_tags([EVERYTHING])
    assert send(Case(), newcomer()).headers["x-plex-cache-status"] == "MISS"
    assert answered == []
    assert send(Case(), newcomer()).headers["x-plex-cache-status"] == "HIT"
    assert answered == ["_response"]


def test_a_request_that_the_fast_path_passes_on_is_counted_once(
    cached: None, send: Send, newcomer: Callable[[], str]
) -> None:
    store.current().values.invalidate_tags([EVERYTHING])
    missed = send(Case(), newcomer())
    assert int(missed.headers["x-ratelimit-remaining"]) == LIBRARY_OPERATIONS.requests - 1


def test_another_process_learns_from_the_store_what_a_request_means(
    cached: None, send: Send, newcomer: Callable[[], str], answered: list[str]
) -> None:
    known_requests.forget()
    assert send(Case(), newcomer()).headers["x-plex-cache-status"] == "HIT"
    assert answered == ["_response"]


def test_a_request_that_another_release_has_stored_is_not_used(
    cached: None,
    send: Send,
    newcomer: Callable[[], str],
    answered: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known_requests.forget()
    monkeypatch.setitem(known_requests._shapes, "library-items", "another shape")
    send(Case(), newcomer())
    assert answered == []


def test_without_settings_and_database_a_known_request_is_a_503_in_the_envelope(
    cached: None, send: Send, newcomer: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(version: str | None) -> Any:
        raise OperationalError

    token = newcomer()
    assert send(Case(), token).status == 200
    runtime.reload()
    monkeypatch.setattr(runtime, "_read", unavailable)
    response = send(Case(), token)
    assert response.status == 503
    assert response.json()["error"]["code"] == "SERVICE_UNAVAILABLE"
