"""The fast path and the full path give the same response: status, body and every header."""

import gzip
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import Client as Browser

from accounts import tokens
from accounts.models import User
from medianest.store import EVERYTHING
from plex_integration.caching import fast_path, tags
from plex_integration.configuration import runtime
from plex_integration.policies import LIBRARY_OPERATIONS
from plex_simulator import Simulator

PATH = "/api/v1/plex/libraries/1/items?size=2&details=summary"
ORIGIN = "https://client.example"


@dataclass(frozen=True)
class Case:
    """A request as it is sent twice, and whether the fast path may answer it."""

    headers: dict[str, str] = field(default_factory=dict)
    method: str = "GET"
    path: str = PATH
    is_fast: bool = True
    status: int = 200


CASES = {
    "plain": Case(),
    "gzip": Case({"Accept-Encoding": "gzip"}),
    "gzip as most clients send it": Case({"Accept-Encoding": "gzip, deflate, br"}),
    "no gzip": Case({"Accept-Encoding": "gzip;q=0"}),
    "axios": Case({"Accept": "application/json, text/plain, */*"}),
    "a browser's fetch": Case({"Accept": "*/*", "Origin": ORIGIN}),
    "a foreign origin": Case({"Origin": "https://elsewhere.example"}),
    "own request id": Case({"X-Request-ID": "mine-1"}),
    "malformed request id": Case({"X-Request-ID": "not an id"}),
    "any validator": Case({"If-None-Match": "*"}, status=304),
    "another validator": Case({"If-None-Match": '"another"'}),
    "HEAD": Case(method="HEAD", is_fast=False),
    "a page": Case({"Accept": "text/html"}, is_fast=False),
    "nothing acceptable": Case({"Accept": "image/png"}, is_fast=False, status=406),
    "renewed": Case({"Cache-Control": "no-cache"}, is_fast=False),
    "bearer in lower case": Case({"Authorization": "bearer {token}"}, is_fast=False),
    "no token": Case({"Authorization": ""}, is_fast=False, status=401),
    "a bad token": Case({"Authorization": "Bearer bad"}, is_fast=False, status=401),
    "a foreign host": Case({"Host": "elsewhere.example"}, is_fast=False, status=400),
    "a method that the path has not": Case(method="DELETE", is_fast=False, status=405),
    "a repeated parameter": Case(path=f"{PATH}&size=3", is_fast=False, status=400),
    "an unknown parameter": Case(path=f"{PATH}&unknown=1"),
}


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bool]]:
    """Tell for each request that reached the fast path whether it answered it."""
    answers: list[bool] = []
    hit = fast_path._hit

    def watched(*given: Any) -> HttpResponse | None:
        response = hit(*given)
        answers.append(response is not None)
        return response

    monkeypatch.setattr(fast_path, "_hit", watched)
    return answers


@pytest.fixture
def newcomer(transactional_db: None) -> Callable[[], str]:
    """Make another user, who has sent nothing yet; return their token."""

    def make() -> str:
        user = User.objects.create(username=f"user-{User.objects.count()}", password="!")
        return tokens.issue(user).access

    return make


@pytest.fixture(params=["one process", "Redis"])
def kept(request: Any, plex: Simulator, settings: Any, newcomer: Callable[[], str]) -> None:
    """Every case's response is cached, on either kind of store."""
    settings.CORS_ALLOWED_ORIGINS = [ORIGIN]
    if request.param == "Redis":
        request.getfixturevalue("shared")
    for case in CASES.values():
        send(Case(path=case.path), newcomer())


def send(case: Case, token: str) -> HttpResponse:
    headers = {"Authorization": f"Bearer {token}"} | case.headers
    given = {name: value.format(token=token) for name, value in headers.items() if value}
    host = given.pop("Host", "testserver")
    return Browser().generic(case.method, case.path, headers=given, SERVER_NAME=host)


# What differs between two equal requests: the moment, and the part of the id that is unique.
_MOMENT = re.compile(rb'"timestamp":"[^"]*"')
_UNIQUE = re.compile(r"[0-9a-f]{32}")


def told(response: HttpResponse) -> tuple[int, bytes, dict[str, str]]:
    """Return everything of a response but the moment and what is unique."""
    headers = {name: _UNIQUE.sub("unique", value) for name, value in response.items()}
    headers.pop("X-Plex-Response-Time", None)
    headers.pop("X-RateLimit-Reset", None)
    body = response.content
    if headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    body = _UNIQUE.sub("unique", _MOMENT.sub(b"", body).decode()).encode()
    if headers.get("Content-Type") == "text/html; charset=utf-8":
        body = b""  # a page shows the headers, the moment among them
        headers.pop("Content-Length", None)
    age = headers.pop("X-Plex-Cache-Age", "0")
    if headers.get("Age"):
        assert int(headers.pop("Age")) == int(age) < 60
        body = re.sub(rb'"cacheAge":\d+', b"", body)
    return response.status_code, body, headers


@pytest.mark.parametrize("name", CASES)
def test_both_paths_give_the_same_response(
    kept: None, name: str, answered: list[bool], newcomer: Callable[[], str]
) -> None:
    case = CASES[name]
    fast = send(case, newcomer())
    was_fast = answered[:]
    fast_path.forget()
    answered.clear()
    full = send(case, newcomer())
    assert was_fast == [True] if case.is_fast else True not in was_fast
    assert answered == []
    assert fast.status_code == case.status
    assert told(fast) == told(full)


def test_a_body_that_is_sent_compressed_is_the_same_to_the_byte(
    kept: None, newcomer: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("medianest.api.renderers.iso_instant", lambda _: "2026-01-01T00:00:00.000Z")
    monkeypatch.setattr("plex_integration.caching.response_cache._age", lambda _: 7)
    case = Case({"Accept-Encoding": "gzip", "X-Request-ID": "mine-1"})
    fast = send(case, newcomer())
    fast_path.forget()
    full = send(case, newcomer())
    assert fast.content == full.content
    assert fast["Content-Length"] == full["Content-Length"]


def test_a_request_beyond_the_limit_gets_the_same_refusal(
    kept: None, newcomer: Callable[[], str]
) -> None:
    token, other = newcomer(), newcomer()
    for each in (token, other):
        for _ in range(LIBRARY_OPERATIONS.requests):
            assert send(Case(), each).status_code == 200
    fast = send(Case(), token)
    fast_path.forget()
    full = send(Case(), other)
    assert fast.status_code == full.status_code == 429
    retry_after = re.compile(rb'"retryAfter":\d+')
    assert abs(int(fast["Retry-After"]) - int(full["Retry-After"])) <= 10
    for response in (fast, full):
        response.content = retry_after.sub(b"", response.content)
        del response["Retry-After"]
        del response["Content-Length"]  # the seconds may have one digit or two
    assert told(fast) == told(full)


@pytest.mark.parametrize(
    "change",
    [
        lambda user: User.objects.filter(pk=user.pk).update(is_active=False),
        lambda user: user.revoke_tokens(),
        lambda user: user.delete(),
    ],
    ids=["deactivated", "tokens revoked", "deleted"],
)
def test_a_user_who_is_refused_and_whom_the_process_has_not_seen_gets_no_hit(
    kept: None, newcomer: Callable[[], str], answered: list[bool], change: Any
) -> None:
    token = newcomer()
    change(User.objects.latest("pk"))
    refused = send(Case(), token)
    assert (refused.status_code, json.loads(refused.content)["error"]["code"]) == (
        401,
        "UNAUTHORIZED",
    )
    assert answered == []


def test_an_invalidated_response_is_loaded_again(
    kept: None, newcomer: Callable[[], str], answered: list[bool]
) -> None:
    assert tags.invalidate([EVERYTHING])
    assert send(Case(), newcomer())["X-Plex-Cache-Status"] == "MISS"
    assert answered == [False]
    assert send(Case(), newcomer())["X-Plex-Cache-Status"] == "HIT"
    assert answered == [False, True]


def test_a_request_that_the_fast_path_passes_on_is_counted_once(
    kept: None, newcomer: Callable[[], str]
) -> None:
    tags.invalidate([EVERYTHING])
    missed = send(Case(), newcomer())
    assert int(missed["X-RateLimit-Remaining"]) == LIBRARY_OPERATIONS.requests - 1


@pytest.mark.parametrize(("length", "is_remembered"), [(1024, True), (1025, False)])
def test_no_request_longer_than_1_kib_is_remembered(length: int, is_remembered: bool) -> None:
    request = HttpRequest()
    request.path_info = "/api/v1/plex/search"
    request.META["QUERY_STRING"] = "é" * 4 + "x" * (length - len(request.path_info) - 8)
    fast_path.remember(request, object())  # type: ignore[arg-type]
    assert bool(fast_path._known) is is_remembered


def test_the_oldest_of_too_many_requests_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast_path, "_known", fast_path.LRUCache(3))
    for number in range(5):
        request = HttpRequest()
        request.META["QUERY_STRING"] = str(number)
        fast_path.remember(request, object())  # type: ignore[arg-type]
    assert [query for _, query in fast_path._known] == ["2", "3", "4"]


def test_without_settings_and_database_a_known_request_is_a_503_in_the_envelope(
    kept: None, newcomer: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(version: str | None) -> Any:
        raise OperationalError

    token = newcomer()
    assert send(Case(), token).status_code == 200
    runtime.reload()
    monkeypatch.setattr(runtime, "_read", unavailable)
    response = send(Case(), token)
    assert response.status_code == 503
    assert json.loads(response.content)["error"]["code"] == "SERVICE_UNAVAILABLE"
