"""600 pictures a minute: per user, and per address for signed links."""

from typing import Any

import pytest
from django.test import Client as WSGI

from accounts import tokens
from accounts.models import User
from plex_integration.configuration import runtime
from plex_integration.images import signing, versions
from plex_integration.policies import IMAGES, LIBRARY_OPERATIONS
from plex_simulator import Simulator

from .conftest import first


@pytest.fixture
def link(small: Simulator) -> str:
    item = first(small)
    to = runtime.required_connection()
    version = versions.from_path(item.thumb)
    assert version
    return signing.sign_link(to.scope, item.rating_key, "thumb", version)


def token(name: str) -> dict[str, str]:
    user, _ = User.objects.get_or_create(username=name, password="!")
    return {"HTTP_AUTHORIZATION": f"Bearer {tokens.issue(user).access}"}


def exhaust(client: WSGI, path: str, **headers: Any) -> None:
    for left in range(IMAGES.requests - 1, -1, -1):
        answer = client.get(path, **headers)
        assert answer.status_code == 200
        assert answer["X-RateLimit-Remaining"] == str(left)
    refused = client.get(path, **headers)
    assert refused.status_code == 429
    error = refused.json()["error"]
    assert error["code"] == "RATE_LIMIT_EXCEEDED"
    assert (error["details"]["limit"], error["details"]["window"]) == (600, 60)
    assert 1 <= int(refused["Retry-After"]) <= 60


def test_a_user_may_see_600_pictures_a_minute_and_loses_nothing_else_by_it(
    transactional_db: None, link: str
) -> None:
    client, path = WSGI(), link.partition("?")[0]
    ada, bob = token("ada"), token("bob")
    exhaust(client, path, **ada)
    assert client.get(path, **bob).status_code == 200
    assert client.get(link, **ada).status_code == 429
    assert client.get(link).status_code == 200
    listed = client.get("/api/v1/plex/libraries", **ada)
    assert listed["X-RateLimit-Remaining"] == str(LIBRARY_OPERATIONS.requests - 1)


def test_an_address_may_follow_600_links_a_minute(
    transactional_db: None, link: str, settings: Any
) -> None:
    settings.PROXY_COUNT = 1
    client = WSGI()
    exhaust(client, link, HTTP_X_FORWARDED_FOR="forged, 192.0.2.1")
    assert client.get(link, HTTP_X_FORWARDED_FOR="192.0.2.2").status_code == 200
    assert client.get(link, HTTP_X_FORWARDED_FOR="192.0.2.1", **token("ada")).status_code == 200


def test_forged_links_count_against_their_address(
    transactional_db: None, link: str, small: Simulator
) -> None:
    client = WSGI()
    for _ in range(IMAGES.requests):
        assert client.get(link + "x").status_code == 401
    assert client.get(link).status_code == 429
    assert small.count() == 0
